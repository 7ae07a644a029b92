import type { FleetView } from '../fleet-view.js';
import { OWN_CERTIFICATE } from '../nats/credentials.js';
import type { HostModel } from '../state/host-state.js';
import type { KnownHost } from '../state/known-host.js';

/** One host as a row of a table. Plain text. */
export interface HostRow {
  readonly host: string;
  /** Whether the host gets requests. */
  readonly usable: boolean;
  readonly state: string;
  readonly load: string;
  readonly memory: string;
  /** The loaded models; the identifier of each. */
  readonly residents: readonly string[];
  /** Number of models that fit now, after an eviction, and in all. */
  readonly models: string;
}

/**
 * The condition of a host:
 *
 * - `ready`: it gets requests.
 * - `serves-nobody`: it has no gateway for other hosts.
 * - `stopping`: it takes no requests any more.
 * - `silent`: no new heartbeat has come from it for too long.
 * - `not-heard`: no heartbeat has come from it yet. Only its stored state is known.
 * - `without-mai`: a device of LM Link.
 * - `displaced`: this machine, while another one serves under its name with a copy of its keys.
 */
export type HostCondition =
  'ready' | 'serves-nobody' | 'stopping' | 'silent' | 'not-heard' | 'without-mai' | 'displaced';

/** The state of the connection to NATS. With several servers, also the one in use. */
export function describeConnection({
  connected,
  server,
  fault,
  natsServers,
}: Pick<FleetView, 'connected' | 'server' | 'fault' | 'natsServers'>): string {
  if (fault !== null) return describeFault(fault);
  if (!connected) return 'no answer';
  return natsServers.length > 1 && server !== null ? `connected to ${server}` : 'connected';
}

/**
 * Says what to do where nats-server refuses this machine, or where its certificate is not valid at this machine's time; any other fault is
 * its own description.
 */
export function describeFault(fault: string): string {
  if (fault.startsWith(OWN_CERTIFICATE)) {
    return `${fault}, by its clock. Check its date and time. Where they are right: on the machine that made the fleet, start \`mai serve --fleet\`, which renews it. On any other machine, run \`mai fleet leave\`, run \`mai fleet remove NAME\` on the machine that made the fleet, and join again.`;
  }
  if (/certificate (is not yet valid|has expired)/i.test(fault)) {
    return `${fault}, by the clock of this machine. Check its date and time. Where they are right, the certificate of nats-server is too old: start \`mai serve --fleet\` on the machine that runs it.`;
  }
  return /authorization violation/i.test(fault)
    ? 'nats-server refuses this machine: it was removed from the fleet, or its key was replaced. Run `mai fleet leave`, and join again.'
    : fault;
}

/** Describes hosts, this machine first, then by name. Last come those that belong to the fleet and of which nothing is known. */
export function describeHosts({
  hosts,
  ownHost,
  paired,
  displaced,
  connected,
}: Pick<
  FleetView,
  'hosts' | 'ownHost' | 'paired' | 'displaced' | 'connected'
>): readonly HostRow[] {
  const known = new Set(hosts.map(({ state }) => state.host));
  const unknown = paired.filter((host) => !known.has(host)).sort();
  return [
    ...inOrder(hosts, ownHost).map((one) => describe(one, { ownHost, displaced })),
    ...unknown.map((host) => ({
      host,
      usable: false,
      load: '',
      memory: '',
      residents: [],
      models: '',
      state: `${host === ownHost ? 'this machine, ' : ''}${
        connected
          ? `no heartbeat yet: does \`mai serve --fleet\` run ${host === ownHost ? 'here' : 'there'}?`
          : 'not known without a connection to NATS'
      }`,
    })),
  ];
}

/** This machine first, then the others by name, devices of LM Link last. */
export function inOrder(hosts: readonly KnownHost[], ownHost: string): readonly KnownHost[] {
  const rank = ({ state, kind }: KnownHost): string =>
    `${state.host === ownHost ? 0 : kind === 'mai' ? 1 : 2}${state.host}`;
  return [...hosts].sort((a, b) => rank(a).localeCompare(rank(b)));
}

function describe(one: KnownHost, view: Pick<FleetView, 'ownHost' | 'displaced'>): HostRow {
  const { state, heartbeat, kind } = one;
  const isOwn = state.host === view.ownHost;
  const condition = conditionOf(one, view);
  return {
    host: state.host,
    usable: one.usable && condition !== 'displaced',
    state: `${isOwn ? 'this machine, ' : ''}${describeCondition(condition, one)}`,
    load: heartbeat === null ? 'unknown' : loadOf(heartbeat.running, heartbeat.queued),
    memory: percentOf(heartbeat?.pressureRatio ?? null),
    residents: state.models.flatMap(({ residents }) =>
      residents.map(({ instanceIdentifier }) => instanceIdentifier),
    ),
    models: kind === 'lm-link' ? 'unknown' : modelsOf(state.models),
  };
}

/** The condition of a host. */
export function conditionOf(
  { kind, usable, silentMs, heartbeat, state }: KnownHost,
  { ownHost, displaced }: Pick<FleetView, 'ownHost' | 'displaced'>,
): HostCondition {
  if (displaced && state.host === ownHost) return 'displaced';
  if (kind === 'lm-link') return 'without-mai';
  if (heartbeat?.ready === false) return 'stopping';
  if (usable) return state.address === null ? 'serves-nobody' : 'ready';
  return silentMs === null ? 'not-heard' : 'silent';
}

const CONDITIONS: Readonly<Record<Exclude<HostCondition, 'silent'>, string>> = {
  ready: 'ready',
  'serves-nobody': 'serves nobody',
  stopping: 'stopping',
  'not-heard': 'not heard yet',
  'without-mai': 'LM Link, without Mai',
  displaced: 'displaced by another machine with a copy of its keys, serves no other host',
};

function describeCondition(condition: HostCondition, { silentMs }: KnownHost): string {
  return condition === 'silent'
    ? `silent for ${Math.round((silentMs ?? 0) / 1000)} s`
    : CONDITIONS[condition];
}

function loadOf(running: number, queued: number): string {
  if (running + queued === 0) return 'idle';
  return queued === 0 ? `${running} running` : `${running} running, ${queued} waiting`;
}

function percentOf(ratio: number | null): string {
  return ratio === null ? 'unknown' : `${Math.round(ratio * 100)} % of its limit`;
}

function modelsOf(models: readonly HostModel[]): string {
  const fitting = models.filter(({ fit }) => fit === 'now' || fit === 'after-eviction').length;
  return `${fitting} of ${models.length} fit`;
}
