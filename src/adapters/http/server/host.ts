const host = /^(?:\[[\dA-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\dA-Fa-f]{2})*)(?::\d*)?$/;

/** Whether a text is a host with or without a port (RFC 3986, 3.2.2). It may be empty. */
export const isHost = (text: string): boolean => host.test(text);
