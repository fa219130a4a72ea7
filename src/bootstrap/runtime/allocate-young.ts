import { setFlagsFromString } from "node:v8";

/**
 * Makes V8 allocate every object in the young generation, where garbage costs nothing. By default, V8 allocates the
 * arrays of a call site in the old generation once enough earlier ones have survived, as they do while stores are slow.
 * One such array for each request keeps all objects of that request alive until the next full collection. Of cached
 * OFREP responses, this was a third of the processor time: a quarter of the young generation survived, instead of 1 %.
 */
export function allocateYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
