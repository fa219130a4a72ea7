/** Headers of every response. */
export const securityHeaders = { "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer" } as const;

/** Headers of a response that no cache may store. */
export const uncached = { ...securityHeaders, "Cache-Control": "no-store" } as const;

/** Headers of a stream of Server-Sent Events. The last one turns off response buffering in proxies. */
export const streamHeaders = {
  ...uncached,
  "Content-Type": "text/event-stream",
  "X-Accel-Buffering": "no",
} as const;
