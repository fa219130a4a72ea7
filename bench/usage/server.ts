import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CountUsage } from "../../src/application/usage/count-usage.ts";
import { loadConfig } from "../../src/bootstrap/config/config.ts";
import { start } from "../../src/bootstrap/runtime/service.ts";

/** A served Tidegate whose processor time the parent process asks for. `COUNTING=no` serves without usage counts. */
const features = 100;
const flags = Object.fromEntries(
  Array.from({ length: features }, (_, index) => {
    const fractional = [
      ["on", 50],
      ["off", 50],
    ];
    const variants = { on: true, off: false };
    return [`feature_${index}`, { state: "ENABLED", variants, defaultVariant: "off", targeting: { fractional } }];
  }),
);
const folder = mkdtempSync(join(tmpdir(), "tidegate-usage-"));
const file = join(folder, "tidegate.yaml");
writeFileSync(
  file,
  JSON.stringify({
    connections: { features: { kind: "sqlite", file: join(folder, "store.db") } },
    sources: [
      { name: "active", kind: "set", connection: "features", key: "active_features" },
      { name: "flags", kind: "flagd", definitions: { flags } },
    ],
  }),
);

if (process.env["COUNTING"] === "no") {
  // Replaced before any call, so that V8 compiles each server for what it does.
  CountUsage.prototype.count = () => {};
}
const env = { PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "error", TIDEGATE_DATA: folder };
const service = await start(await loadConfig(file, env), env);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ micros: user + system });
});
process.on("disconnect", async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
  process.exit();
});
process.send?.({ url: service.url });
