import { isIP } from 'node:net';

// Names and addresses that end up in certificates and in the configuration of nats-server.

/** Longest host name, in characters. A label of DNS has the same limit. */
const LONGEST_HOST_NAME = 63;
const LONGEST_DNS_NAME = 253;

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Whether a text is a host name of a fleet: 1 to 63 lower-case letters, digits and dashes, no dash at either end. */
export function isHostName(text: string): boolean {
  return text.length <= LONGEST_HOST_NAME && LABEL.test(text);
}

/** Makes a host name of the name that an operating system gives, such as `Anna's PC.local` → `anna-s-pc`. Null where nothing is left. */
export function toHostName(text: string): string | null {
  const name = (text.split('.')[0] ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_HOST_NAME)
    .replace(/^-+|-+$/g, '');
  return isHostName(name) ? name : null;
}

/** Whether a text is an address at which others reach a machine: an IPv4 or IPv6 address without a zone, or a DNS name. */
export function isAddress(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes('%');
  return text.length <= LONGEST_DNS_NAME && !isDottedNumber(text) && isDnsName(text);
}

function isDnsName(text: string): boolean {
  return text
    .toLowerCase()
    .split('.')
    .every((label) => label.length <= LONGEST_HOST_NAME && LABEL.test(label));
}

/** Numbers with dots that are not an IP address, such as `10.0.0.300`: a mistyped address rather than a name. */
function isDottedNumber(text: string): boolean {
  return /^[0-9.]+$/.test(text);
}

/** Host and port as in a URL: an IPv6 address gets brackets. */
export function hostAndPort(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
