import type { IncomingMessage } from 'node:http';

/** Name of the session's cookie. */
const SESSION_COOKIE = 'mai-session';
/** Header with the CSRF token. Requests of a session that change something must have it. */
export const CSRF_HEADER = 'x-mai-csrf';

/** The keys that a request presents, without repetitions. Clients differ in the header that they use. */
export function presentedKeys({ headers }: IncomingMessage): readonly string[] {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const keys = [bearer, headers['x-api-key'], headers['api-key']];
  return [...new Set(keys.filter((key) => typeof key === 'string' && key !== ''))].filter(
    (key) => typeof key === 'string',
  );
}

/** The secret of the session's cookie; null without one. */
export function sessionSecret({ headers: { cookie } }: IncomingMessage): string | null {
  for (const pair of (cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === SESSION_COOKIE && value !== undefined && value !== '') return value;
  }
  return null;
}

/** The header that sets the session's cookie, or with an empty secret removes it. */
export function setCookie(secret: string, encrypted: boolean, maxAgeMs: number): string {
  const parts = [
    `${SESSION_COOKIE}=${secret}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Strict',
    `Max-Age=${Math.floor(maxAgeMs / 1000)}`,
    ...(encrypted ? ['Secure'] : []),
  ];
  return parts.join('; ');
}

/** Whether a request changes nothing (RFC 9110, section 9.2.1). */
export function isSafe(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}
