import { connect } from 'node:net';
import { pause, type Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';
import type { KnownHost } from '../state/known-host.js';

const CHECK_MS = 500;
const PROBE_TIMEOUT_MS = 500;
/** A host that hears nobody at another server either is alone, and stays there. */
const STAY_MS = 30_000;

export interface IsolationParts {
  readonly connection: Pick<FleetConnection, 'server' | 'moveOn'>;
  readonly clock: Clock;
  readonly ownHost: string;
  readonly hosts: () => readonly KnownHost[];
  /** URLs of the fleet's nats-servers. */
  readonly servers: () => readonly string[];
  readonly signal: AbortSignal;
  /** Whether a server takes connections. Default: a TCP connection. */
  readonly isReachable?: (url: string) => Promise<boolean>;
}

/**
 * Moves this host to another server of a cluster where its own server is cut off from the others: none of the known hosts is
 * heard, and another server takes connections. nats-server 2.9 does not notice that a route is broken as long as it sends
 * something over it, and after a partition it waits for TCP's next try, up to half a minute. Ends with the signal.
 */
export async function leaveIsolatedServers(parts: IsolationParts): Promise<void> {
  const { connection, clock, ownHost, hosts, servers, signal, isReachable = probe } = parts;
  let stayUntilMs = 0;
  while (!signal.aborted) {
    await pause(clock, CHECK_MS, signal);
    const others = hosts().filter(({ kind, state }) => kind === 'mai' && state.host !== ownHost);
    const isAlone = others.length > 0 && others.every(({ usable }) => !usable);
    const current = connection.server;
    if (signal.aborted || !isAlone || current === null || clock.monotonicMs() < stayUntilMs)
      continue;
    const elsewhere = servers().filter((url) => new URL(url).host !== current);
    const reachable = await Promise.all(elsewhere.map(isReachable));
    if (!reachable.includes(true)) continue;
    stayUntilMs = clock.monotonicMs() + STAY_MS;
    connection.moveOn();
  }
}

function probe(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
