/**
 * Parts of `node:http`. An import would read all its exports, and so load Node's client (`fetch`, `WebSocket`), which
 * takes longer than a fourth of the modules of a start.
 */
export const { createServer, request, STATUS_CODES } = process.getBuiltinModule("node:http");
