const host = /^(?:\[[\dA-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\dA-Fa-f]{2})*)(?::\d*)?$/;

/** Whether a text is a valid host with an optional port (RFC 3986, 3.2.2). It may be empty. */
export const isHost = (text: string): boolean => host.test(text);

/** The URL of a service that listens on an address. All addresses of the machine are `localhost`. */
export function urlOf({ address, port }: { readonly address: string; readonly port: number }): string {
  const host =
    address === "0.0.0.0" || address === "::" ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
