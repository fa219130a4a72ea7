import { describe, expect, it } from "vitest";
import { changeEvent } from "../../../src/application/events/change-event.ts";
import type { ChangeRecord } from "../../../src/domain/admin/change.ts";
import { aChange } from "../../support/stores.ts";

const record = (author: Partial<ChangeRecord>): ChangeRecord => ({
  ...aChange(),
  of: "token",
  tokenId: "t",
  userId: "1",
  origin: "issued",
  at: 1,
  revision: { epoch: "e", number: 1 },
  ...(author as object),
});

describe("the event of a change", () => {
  it.each([
    [{ by: "alice", email: "alice@example.org" }, "alice@example.org"],
    [{ by: "alice" }, "alice@tidegate.invalid"],
    [{ by: "alice@example.org" }, "alice@example.org"],
    [{ by: "cli:root" }, "cli.root@tidegate.invalid"],
  ])("by %j has the email %s, and the name of its actor", (author, email) => {
    const event = changeEvent("users", record(author), "production");
    expect([event.email, event.recordedBy]).toEqual([email, author.by]);
    expect(JSON.stringify(event.data)).not.toContain(email);
  });
});
