import { chromiumPath } from "./chromium.ts";
import { installIfMissing } from "./install-if-missing.ts";

/** Makes sure that there is a Chromium for the tests of pages. */
export function setup(): void {
  installIfMissing({
    name: "Chromium (or a file that CHROMIUM names)",
    debianPackage: "chromium-headless-shell",
    isInstalled: () => chromiumPath() !== undefined,
  });
}
