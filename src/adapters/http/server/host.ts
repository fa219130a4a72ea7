const host = /^(?:\[[\dA-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\dA-Fa-f]{2})*)(?::\d*)?$/;

/** Whether a text is a valid host with an optional port (RFC 3986, 3.2.2). It may be empty. */
export const isHost = (text: string): boolean => host.test(text);
