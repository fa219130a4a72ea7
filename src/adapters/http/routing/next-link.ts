/** `Link` header (RFC 8288) to the next page: the request's target below a base path, with another cursor. */
export function nextLink(url: string, cursor: string, basePath: string): string {
  const next = new URL(url);
  next.searchParams.set("cursor", cursor);
  return `<${basePath}${next.pathname}${next.search}>; rel="next"`;
}
