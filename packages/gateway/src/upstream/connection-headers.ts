/** Headers of one connection, which a proxy does not forward (RFC 9110, section 7.6.1). */
export const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

const NONE: readonly string[] = [];

/** The headers that the value of `Connection` names, which belong to one connection, too. */
export function connectionNames(value: string | readonly string[] | undefined): readonly string[] {
  if (typeof value !== 'string' || value === 'keep-alive' || value === 'close') return NONE;
  return value.split(',').map((name) => name.trim().toLowerCase());
}
