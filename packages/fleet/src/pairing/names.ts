import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

import { MAX_HOST_NAME_LENGTH, isHostName } from '../nats/subjects.js';

// Names and addresses that end up in certificates and in the configuration of nats-server.

const LONGEST_DNS_NAME = 253;

/**
 * Makes a host name of the name that an operating system gives, such as `Anna's PC.local` → `anna-s-pc`. Null where nothing
 * is left.
 */
export function toHostName(text: string): string | null {
  const name = (text.split('.')[0] ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_HOST_NAME_LENGTH)
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
    .every((label) => isHostName(label));
}

/** Numbers with dots that are not an IP address, such as `10.0.0.300`: a mistyped address rather than a name. */
function isDottedNumber(text: string): boolean {
  return /^[0-9.]+$/.test(text);
}

/** Host and port as in a URL: an IPv6 address gets brackets. */
export function hostAndPort(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** All network interfaces of this machine, for listening. Where it has IPv6, the address takes connections of IPv4, too. */
export function anyAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Throws a `RangeError` that says which names are host names. */
export function checkHostName(host: string): void {
  if (!isHostName(host)) {
    throw new RangeError(
      `${JSON.stringify(host)} is not a host name. A host name has 1 to 63 lower-case letters, digits and dashes, and no dash at either end.`,
    );
  }
}

/** Says that a host of this name belongs to the fleet, and what to do. */
export function describeTaken(host: string): string {
  return `The fleet has a host ${host} already. Choose another name with --host, or remove that host first with \`mai fleet remove ${host}\`.`;
}
