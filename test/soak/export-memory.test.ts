import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordedEvent } from "../../src/domain/events/event-log.ts";
import { openEventLog } from "../../src/infrastructure/event-log/open-event-log.ts";
import { admin, embeddedLog } from "../support/event-calls.ts";
import { TestProcess } from "../support/process.ts";
import { bearer } from "../support/service.ts";

const megabytes = Number(process.env["EXPORT_MEGABYTES"] ?? 200);
const events = megabytes * 250;
const text = "x".repeat(4_000);

/** An event of about 4 kB. */
const eventAt = (number: number): RecordedEvent => {
  const id = `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`;
  const by = { id, by: "test", at: number, revision: { epoch: "e", number: 1 } };
  return {
    id,
    component: "tidegate",
    environment: "test",
    email: "ade@gmail.com",
    message: `document ${number}`,
    data: { text },
    at: number,
    recordedBy: "test",
    change: { store: "store", record: { ...by, of: "document", collection: "load", name: `${number}`, value: null } },
  };
};

const residentMebibytes = (pid: number): number =>
  Number(execFileSync("ps", ["-o", "rss=", "-p", `${pid}`], { encoding: "utf8" })) / 1_024;

describe("an export of hundreds of megabytes", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-export-"));
    writeFileSync(join(folder, "tidegate.yaml"), embeddedLog);
    await using eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    for (let number = 0; number < events; number += 1_000) {
      await eventLog.log.record(Array.from({ length: 1_000 }, (_, index) => eventAt(number + index)));
    }
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("needs no memory for its size, even with a slow reader", async () => {
    await using service = new TestProcess(["src/main.ts"], {
      TIDEGATE_CONFIG: join(folder, "tidegate.yaml"),
      TIDEGATE_ADMIN_TOKEN: admin,
      FOLDER: folder,
      PORT: "0",
    });
    const url = `${await service.url()}/events/export`;
    // The one-time allocations of the first export do not count.
    await (await fetch(`${url}?message=document 7`, { headers: bearer(admin) })).text();
    const before = residentMebibytes(service.pid);
    const seen: number[] = [];
    const response = await fetch(url, { headers: bearer(admin) });
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes < (seen.length / 3 + 1) * 10_000_000) continue;
      // Nothing is read during this time.
      for (let count = 0; count < 3; count++) seen.push(residentMebibytes(service.pid));
    }
    expect(bytes).toBeGreaterThan(events * text.length);
    expect(seen.length).toBeGreaterThan(0.2 * megabytes);
    expect(Math.max(...seen) - before).toBeLessThan(120);
  }, 300_000);
});
