import { spawnSync } from "node:child_process";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** The command that starts Chromium on this machine; `undefined` if it is not installed. */
export const chromiumCommand = names
  .map((name) => spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim())
  .find((path) => path !== "");

/** Starts Chromium without a window. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumCommand ?? "chromium", timeout: 60_000 });
