import { isIP } from 'node:net';

/** The socket that a request came through. */
export interface Reached {
  readonly address: string;
  readonly port: number;
  readonly encrypted: boolean;
}

/** A host name and a port. */
interface Authority {
  /** In lower case; an IPv6 address without brackets. */
  readonly name: string;
  /** Null where the text names no port. */
  readonly port: number | null;
}

/**
 * Whether a request may name this host. With DNS rebinding, a page of another site points its own name at this machine,
 * and its requests name that site. So these names are allowed: loopback names, the address of the socket with its port, and
 * the names of `allowHosts`. A loopback name may have any port, because a forwarded port (`ssh -L`, a container) is another one.
 *
 * @param allowHosts - `name` for any port, or `name:port`
 */
export function isAllowedHost(
  host: string,
  reached: Reached,
  allowHosts: readonly string[],
): boolean {
  const asked = parseAuthority(host);
  if (asked === null) return false;
  if (isLoopbackName(asked.name)) return true;
  const port = asked.port ?? (reached.encrypted ? 443 : 80);
  const isOfSocket = asked.name === plainAddress(reached.address) && port === reached.port;
  if (isIP(asked.name) !== 0 && isOfSocket) return true;
  return allowHosts.some((text) => {
    const allowed = parseAuthority(text);
    return allowed?.name === asked.name && (allowed.port === null || allowed.port === port);
  });
}

/** Whether an address or a name reaches this machine alone. */
export function isLoopbackName(name: string): boolean {
  const plain = plainAddress(name.toLowerCase().replace(/^\[|\]$/g, ''));
  if (plain === 'localhost' || plain === '::1') return true;
  return isIP(plain) === 4 && plain.startsWith('127.');
}

/**
 * Whether a request with this `Origin` may be answered: it comes from the gateway's own page, or from an origin of
 * `allowOrigins`.
 */
export function originKind(
  origin: string,
  host: string,
  encrypted: boolean,
  allowOrigins: readonly string[],
): 'own' | 'allowed' | 'refused' {
  const scheme = encrypted ? 'https' : 'http';
  if (origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`) return 'own';
  return allowOrigins.includes('*') || allowOrigins.includes(origin) ? 'allowed' : 'refused';
}

function parseAuthority(text: string): Authority | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) return null;
  const [, address, name, port] = match;
  return {
    name: (address ?? name ?? '').toLowerCase().replace(/\.$/, ''),
    port: port === undefined ? null : Number(port),
  };
}

/** An IPv4 address as such, where a socket reports it inside IPv6. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
