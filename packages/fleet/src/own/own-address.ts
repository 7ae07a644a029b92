import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

import { pause, type Clock } from '../clock.js';

const ADDRESS_INTERVAL_MS = 5000;
/** Addresses for documentation (RFC 5737, RFC 3849): the way to them is the default route, and nothing is sent there. */
const BEYOND = ['192.0.2.1', '2001:db8::1'];
/** Any port: a connected UDP socket sends nothing. */
const ANY_PORT = 9;

/**
 * The address at which the other machines reach this one; null where it has none. A machine may have several: of a cable, of a
 * wireless network, of virtual machines. The one that it uses towards the first of `targets` with a route is the right one; without
 * targets, the one of its default route; without that, the first of its interfaces. Rejects where the system does not list them.
 *
 * @param targets - IP addresses or DNS names of other machines of the fleet
 */
export async function ownAddress(targets: readonly string[] = []): Promise<string | null> {
  for (const target of [...targets, ...BEYOND]) {
    const address = await addressTowards(target).catch(() => null);
    if (address !== null && !isOnlyHere(address)) return address;
  }
  return addressOf(networkInterfaces());
}

/** The address that the system takes for packets to a target. Rejects without a route, and where a name has no address. */
async function addressTowards(target: string): Promise<string> {
  const { address, family } = await lookup(target);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      // Node calls a callback of `connect` also where it fails.
      socket.once('error', reject).once('connect', resolve);
      socket.connect(ANY_PORT, address);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}

/** The address of a machine with these network interfaces: one of IPv4 where there is one, else one of IPv6 that is valid beyond its link. */
export function addressOf(interfaces: ReturnType<typeof networkInterfaces>): string | null {
  const addresses = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !isOnlyHere(address));
  const first = addresses.find(({ family }) => family === 'IPv4') ?? addresses[0];
  return first?.address ?? null;
}

/**
 * Whether other machines cannot use an address. Debian's `/etc/hosts` gives a machine's own name the address 127.0.1.1. An address such
 * as `fe80::1` needs the name of an interface, which differs between machines: RFC 4291, section 2.5.6.
 */
function isOnlyHere(address: string): boolean {
  return /^(127\.|0\.0\.0\.0$|::1?$|fe[89ab])/i.test(address);
}

/** Tells the address of this machine, and each change of it, until the signal fires: a laptop moves to another network. */
export async function followOwnAddress({
  targets,
  clock,
  signal,
  onAddress,
  read = ownAddress,
}: {
  /** The addresses of the fleet's nats-servers, as they are now. */
  readonly targets: () => readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onAddress: (address: string) => void;
  /** Default: the address of this machine. */
  readonly read?: typeof ownAddress;
}): Promise<void> {
  let told: string | null = null;
  while (!signal.aborted) {
    // Node throws where the system does not list the network interfaces, for example because this process has too many files open.
    const address = await read(targets()).catch(() => null);
    if (address !== null && address !== told && !signal.aborted) onAddress(address);
    told = address ?? told;
    await pause(clock, ADDRESS_INTERVAL_MS, signal);
  }
}
