import { connect } from 'node:net';
import { pause, type Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';
import type { HostState } from '../state/host-state.js';
import type { KnownHost } from '../state/known-host.js';

const CHECK_MS = 500;
const PROBE_TIMEOUT_MS = 500;
/** First wait before a server is asked again that takes connections but where no silent host answered. Each later wait is twice as long. */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 600_000;
/** Maximum number of silent hosts that are asked for at another server, and maximum number of other hosts. Those that were heard last are chosen. */
const ASKED_MAX = 32;
const MOVE_DEADLINE_MS = 5000;
const MOVE_POLL_MS = 100;

export interface IsolationParts {
  readonly connection: Pick<FleetConnection, 'server' | 'moveTo'>;
  readonly clock: Clock;
  readonly ownHost: string;
  readonly hosts: () => readonly KnownHost[];
  /** URLs of the fleet's nats-servers. */
  readonly servers: () => readonly string[];
  /** Asks hosts for their states by a new connection to a server. Resolves to the states of the hosts that answer. */
  readonly ask: (url: string, hosts: readonly string[]) => Promise<readonly HostState[]>;
  /** Called after a move with each host that answered at the server. */
  readonly onAnswer: (state: HostState) => void;
  readonly signal: AbortSignal;
  /** Whether a server takes connections. Default: a TCP connection. */
  readonly isReachable?: (url: string) => Promise<boolean>;
}

/**
 * Moves this host to another server of a cluster if silent hosts answer there, and if more hosts answer there than are heard here.
 * The reason: nats-server 2.9 does not notice a broken route while it sends something over it. After a partition it waits for
 * TCP's next retransmission, which can take half a minute.
 *
 * In this way both sides of a broken route find each other, and only one moves: the one that hears fewer hosts, itself included. If
 * both hear equally many, the names that only one side hears are compared, and the side with the alphabetically first one stays.
 * Ends with the signal.
 */
export async function leaveIsolatedServers(parts: IsolationParts): Promise<void> {
  const { connection, clock, ownHost, hosts, servers, ask, signal, isReachable = probe } = parts;
  /** When a server that took connections is asked again. A server that takes none is tried at each check. */
  const waits = new Map<string, { readonly untilMs: number; readonly lastMs: number }>();
  let lastSilent: readonly string[] = [];

  const askAt = async (url: string, asked: readonly string[]): Promise<Found> => {
    const none = { url, states: [] };
    if (clock.monotonicMs() < (waits.get(url)?.untilMs ?? 0)) return none;
    if (!(await isReachable(url))) {
      waits.delete(url);
      return none;
    }
    const lastMs = Math.min((waits.get(url)?.lastMs ?? FIRST_WAIT_MS / 2) * 2, LONGEST_WAIT_MS);
    waits.set(url, { untilMs: clock.monotonicMs() + lastMs, lastMs });
    return { url, states: await ask(url, asked) };
  };

  while (!signal.aborted) {
    await pause(clock, CHECK_MS, signal);
    const current = connection.server;
    const silent = silentHosts(hosts(), ownHost);
    if (silent.some((host) => !lastSilent.includes(host))) waits.clear();
    lastSilent = silent;
    if (signal.aborted || silent.length === 0 || current === null) continue;
    const elsewhere = servers().filter((url) => new URL(url).host !== current);
    const heard = usableHosts(hosts(), ownHost).slice(0, ASKED_MAX);
    const asked = [...silent.slice(0, ASKED_MAX), ...heard];
    const found = await Promise.all(elsewhere.map((url) => askAt(url, asked)));
    if (signal.aborted) return;
    const there = found.reduce<Found>(
      (most, one) => (one.states.length > most.states.length ? one : most),
      { url: '', states: [] },
    );
    const stillSilent = silentHosts(hosts(), ownHost);
    const names = there.states.map(({ host }) => host);
    const usable = usableHosts(hosts(), ownHost).filter((host) => asked.includes(host));
    const isOfUse = names.some((host) => stillSilent.includes(host));
    if (!isOfUse || staysHere([ownHost, ...usable], names)) continue;
    connection.moveTo(there.url);
    const { host: goal } = new URL(there.url);
    const deadlineMs = clock.monotonicMs() + MOVE_DEADLINE_MS;
    while (connection.server !== goal && clock.monotonicMs() < deadlineMs && !signal.aborted)
      await pause(clock, MOVE_POLL_MS, signal);
    if (connection.server !== goal) continue;
    for (const state of there.states) parts.onAnswer(state);
  }
}

interface Found {
  readonly url: string;
  readonly states: readonly HostState[];
}

/** Hosts that were not heard for too long and did not say goodbye, those that were heard last first. */
function silentHosts(hosts: readonly KnownHost[], ownHost: string): readonly string[] {
  return hosts
    .filter(
      ({ kind, state, usable, heartbeat }) =>
        kind === 'mai' && state.host !== ownHost && !usable && heartbeat?.ready !== false,
    )
    .toSorted((one, other) => (one.silentMs ?? Infinity) - (other.silentMs ?? Infinity))
    .map(({ state }) => state.host);
}

function usableHosts(hosts: readonly KnownHost[], ownHost: string): readonly string[] {
  return hosts
    .filter(({ kind, state, usable }) => kind === 'mai' && state.host !== ownHost && usable)
    .map(({ state }) => state.host);
}

function staysHere(here: readonly string[], there: readonly string[]): boolean {
  if (here.length !== there.length) return here.length > there.length;
  const [first] = [...here, ...there]
    .filter((host) => !here.includes(host) || !there.includes(host))
    .toSorted();
  return first === undefined || here.includes(first);
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
