/** Where a request goes. */
export interface RequestTarget {
  /** Decoded nowhere: the path as the client sent it, without the query and without one slash at its end. */
  readonly path: string;
  /** With its question mark; empty without a query. */
  readonly query: string;
}

/**
 * Splits the target of a request. Null where it is not a plain path: an absolute URL or `*` is for proxies, and a path
 * with a backslash or a control character is read differently by different servers.
 */
export function parseTarget(url: string | undefined): RequestTarget | null {
  if (url === undefined || !url.startsWith('/') || url.startsWith('//')) return null;
  // eslint-disable-next-line no-control-regex
  if (/[\\\u0000-\u0020\u007f]/.test(url)) return null;
  const at = url.indexOf('?');
  const sent = at === -1 ? url : url.slice(0, at);
  // LM Studio's server takes such a slash, so its clients may send one.
  const path = sent.length > 1 && sent.endsWith('/') ? sent.slice(0, -1) : sent;
  return { path, query: at === -1 ? '' : url.slice(at) };
}
