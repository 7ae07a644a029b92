/** The address of an LM Studio, for WebSocket and for HTTP. */
export interface ServerAddress {
  /** `ws://host:port` or `wss://...`, without a trailing slash. */
  readonly webSocketUrl: string;
  /** The same address as `http://host:port` or `https://...`. */
  readonly httpUrl: string;
  /** Host name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** TLS: `wss` and `https`. */
  readonly secure: boolean;
}

/** Default port of LM Studio's API server. */
export const DEFAULT_PORT = 1234;

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

// People paste the base URL of the OpenAI-compatible or the REST API. The same server answers
// both.
const API_SUFFIX = /\/(?:api\/)?v[01]\/?$/;

/**
 * Reads an LM Studio address: an `http`, `https`, `ws` or `wss` URL, or `host[:port]` (port 1234 unless given). A
 * path is kept, for reverse proxies. A trailing `/v1` or `/api/v0` is dropped.
 * @throws TypeError for any other text, and for an address with credentials, a query or a
 * fragment.
 */
export function parseBaseUrl(input: string): ServerAddress {
  const text = input.trim();
  const hasScheme = SCHEME.test(text);
  const url = tryUrl(hasScheme ? text : `http://${bracketBareIpv6(text)}`);
  const secure = url !== null && (url.protocol === 'https:' || url.protocol === 'wss:');
  if (url === null || !(secure || url.protocol === 'http:' || url.protocol === 'ws:')) {
    throw new TypeError(
      `'${input}' is not an LM Studio address. Give host:port, or a URL that starts with http, https, ws or wss, for example http://127.0.0.1:1234.`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError(
      `An LM Studio address can have no user name, query or fragment. Give only ${url.protocol}//${url.host}, and put a token into LM_API_TOKEN.`,
    );
  }
  const bareHost = !hasScheme && url.port === '' && !/:80(?:\/|$)/.test(text);
  const port = url.port !== '' ? Number(url.port) : bareHost ? DEFAULT_PORT : secure ? 443 : 80;
  const path = url.pathname.replace(API_SUFFIX, '').replace(/\/+$/, '');
  const authority = `${url.hostname}:${port}${path}`;
  return {
    webSocketUrl: `${secure ? 'wss' : 'ws'}://${authority}`,
    httpUrl: `${secure ? 'https' : 'http'}://${authority}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure,
  };
}

/** The address `127.0.0.1:port`. */
export function loopbackAddress(port: number): ServerAddress {
  return parseBaseUrl(`127.0.0.1:${port}`);
}

function tryUrl(text: string): URL | null {
  try {
    const url = new URL(text);
    return url.hostname === '' ? null : url;
  } catch {
    return null;
  }
}

function bracketBareIpv6(text: string): string {
  return /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*$/i.test(text) ? `[${text}]` : text;
}
