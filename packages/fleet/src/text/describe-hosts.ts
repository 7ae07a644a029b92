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

/** Describes hosts, this machine first, then by name. */
export function describeHosts(hosts: readonly KnownHost[], ownHost: string): readonly HostRow[] {
  const rank = ({ state, kind }: KnownHost): string =>
    `${state.host === ownHost ? 0 : kind === 'mai' ? 1 : 2}${state.host}`;
  return [...hosts]
    .sort((a, b) => rank(a).localeCompare(rank(b)))
    .map((one) => describe(one, ownHost));
}

function describe(one: KnownHost, ownHost: string): HostRow {
  const { state, heartbeat, kind, usable } = one;
  const isOwn = state.host === ownHost;
  return {
    host: state.host,
    usable,
    state: `${isOwn ? 'this machine, ' : ''}${conditionOf(one)}`,
    load: heartbeat === null ? 'unknown' : loadOf(heartbeat.running, heartbeat.queued),
    memory: percentOf(heartbeat?.pressureRatio ?? null),
    residents: state.models.flatMap(({ residents }) =>
      residents.map(({ instanceIdentifier }) => instanceIdentifier),
    ),
    models: kind === 'lm-link' ? 'unknown' : modelsOf(state.models),
  };
}

function conditionOf({ kind, usable, silentMs, heartbeat, state }: KnownHost): string {
  if (kind === 'lm-link') return 'LM Link, without Mai';
  if (heartbeat?.ready === false) return 'stopping';
  if (usable) return state.address === null ? 'serves nobody' : 'ready';
  if (silentMs === null) return 'not heard yet';
  return `silent for ${Math.round(silentMs / 1000)} s`;
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
