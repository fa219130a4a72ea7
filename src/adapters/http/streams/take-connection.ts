import type { ServerResponse } from "node:http";
import { Socket, type SocketConstructorOpts } from "node:net";

/**
 * Takes the connection of a response out of `node:http`, once the head is sent: returns a new socket with the same
 * handle, and destroys the one of the response. Otherwise an open stream also keeps a parser, a request and a
 * response, three quarters of its memory. Returns the socket of the response if its data still waits, and `undefined`
 * if it has none.
 */
export function takeConnection(outgoing: ServerResponse): Socket | undefined {
  const old = outgoing.socket;
  if (!old || old.destroyed) return undefined;
  const { _handle: handle } = old as unknown as { readonly _handle: object | null };
  if (!handle || old.writableLength > 0) return old;
  // Not in Node's documentation: without a handle, the old socket is closed, and the connection is not.
  Object.assign(old, { _handle: null });
  const options: object = { handle, readable: true, writable: true };
  const taken = new Socket(options as SocketConstructorOpts);
  old.destroy();
  return taken;
}
