import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { coalesced } from "../../../src/bootstrap/runtime/signals.ts";

describe("coalesced events", () => {
  const emit = (emitter: EventEmitter, times: number) => {
    for (let count = 0; count < times; count++) emitter.emit("reload");
  };

  it("run once at a time, with one pending run for any number of events", async () => {
    const emitter = new EventEmitter();
    const stopping = new AbortController();
    const reloads = coalesced(stopping.signal, emitter, "reload");
    let count = 0;
    emit(emitter, 200);
    for await (const _ of reloads) {
      count += 1;
      if (count === 1) emit(emitter, 200);
      if (count === 2) setImmediate(() => stopping.abort());
    }
    expect(count).toBe(2);
  });

  it("are detected at any time", async () => {
    const emitter = new EventEmitter();
    const stopping = new AbortController();
    let count = 0;
    setImmediate(() => emit(emitter, 1));
    for await (const _ of coalesced(stopping.signal, emitter, "reload")) {
      count += 1;
      if (count < 5) setImmediate(() => emit(emitter, 1));
      else stopping.abort();
    }
    expect(count).toBe(5);
  });

  it("end with the stop signal, even with one pending", async () => {
    const emitter = new EventEmitter();
    const stopping = new AbortController();
    const reloads = coalesced(stopping.signal, emitter, "reload");
    emit(emitter, 1);
    stopping.abort();
    for await (const _ of reloads) expect.unreachable("it has stopped");
  });
});
