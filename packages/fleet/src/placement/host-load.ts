import type { HostModel, HostState } from '../state/host-state.js';
import type { KnownHost } from '../state/known-host.js';
import type { RecentSend } from './placement-input.js';

/** The requests of one host: those of its heartbeat and those that this gateway has sent since, without those that have ended. */
export interface HostLoad {
  /** Requests that run or wait at a resident of the model. */
  ahead(model: HostModel, instanceIdentifier: string): number;
  /** Number of residents with requests, other than this one. */
  othersBusy(instanceIdentifier: string | null): number;
  /** The load of a model that this gateway has caused; null where there is none. */
  loading(modelKey: string): PendingLoad | null;
  /** Model keys of the pending loads. Almost always empty. */
  readonly loadingKeys: readonly string[];
  /** Whether nothing says how busy the host is (no heartbeat, or an LM Link device), so that its requests are assumed. */
  readonly isAssumed: boolean;
}

export interface PendingLoad {
  /** Milliseconds since the oldest request that waits for the load was sent. */
  readonly sinceMs: number;
  /** Requests that wait for the load. */
  readonly requests: number;
}

const NO_KEYS: readonly string[] = [];

/**
 * Works out the requests of a host.
 *
 * A heartbeat lists the busiest residents only. A resident that is not listed may have as many requests as the total
 * leaves, but not more than the least busy one on the list: this careful number is taken.
 *
 * @param sends - the recent sends to this host.
 * @param assumedRequests - requests at each resident where the host tells no load.
 */
export function loadOf(
  { state, heartbeat: heard, kind }: KnownHost,
  sends: readonly RecentSend[],
  assumedRequests: number,
): HostLoad {
  const heartbeat = heard?.epoch === state.epoch ? heard : null;
  const isAssumed = kind === 'lm-link' || heartbeat === null;
  const reported = heartbeat?.residents ?? {};
  const ended = sends.filter((send) => send.ended);
  const listed = ended.length === 0 ? reported : withoutEnded(reported, ended);
  let unlisted = isAssumed ? assumedRequests : 0;
  let listedBusy = 0;
  if (heartbeat !== null && !isAssumed) {
    let left = heartbeat.running + heartbeat.queued;
    let least = Infinity;
    for (const identifier in reported) {
      const requests = reported[identifier] ?? 0;
      left -= requests;
      if ((listed[identifier] ?? 0) > 0) listedBusy += 1;
      if (requests < least) least = requests;
    }
    left -= ended.filter(({ instanceIdentifier: at }) => !Object.hasOwn(reported, at ?? '')).length;
    unlisted = Math.max(0, Math.min(left, least));
  }
  const counted = sends.filter((send) => counts(send, heartbeat));
  const sentTo = (model: HostModel, instanceIdentifier: string): number =>
    counted.filter((send) => instanceOf(send, model) === instanceIdentifier).length;
  /** Requests of a resident by the heartbeat; null where the heartbeat does not list it. */
  const listedAt = (instanceIdentifier: string): number | null =>
    Object.hasOwn(listed, instanceIdentifier) ? (listed[instanceIdentifier] ?? null) : null;
  return {
    ahead: (model, instanceIdentifier) =>
      (listedAt(instanceIdentifier) ?? unlisted) +
      (counted.length === 0 ? 0 : sentTo(model, instanceIdentifier)),
    othersBusy: (instanceIdentifier) => {
      if (counted.length > 0) return busyOf(state, listed, counted, instanceIdentifier);
      const isBusy = instanceIdentifier !== null && (listedAt(instanceIdentifier) ?? 0) > 0;
      return isBusy ? listedBusy - 1 : listedBusy;
    },
    loading: (modelKey) => pendingLoad(counted, modelKey),
    loadingKeys:
      counted.length === 0
        ? NO_KEYS
        : [...new Set(counted.flatMap((one) => (one.loading ? (one.modelKey ?? []) : [])))],
    isAssumed,
  };
}

/** The requests of the residents that a heartbeat lists, without those whose answers this gateway has got since. */
function withoutEnded(
  reported: Readonly<Record<string, number>>,
  ended: readonly RecentSend[],
): Readonly<Record<string, number>> {
  const left = { ...reported };
  for (const { instanceIdentifier } of ended) {
    if (instanceIdentifier === null || !Object.hasOwn(left, instanceIdentifier)) continue;
    left[instanceIdentifier] = Math.max(0, (left[instanceIdentifier] ?? 0) - 1);
  }
  return left;
}

/** Whether the newest known heartbeat does not count a send yet. */
function counts(send: RecentSend, heartbeat: KnownHost['heartbeat']): boolean {
  if (send.ended) return false;
  if (send.loading || heartbeat === null) return true;
  return send.heartbeat?.epoch === heartbeat.epoch && heartbeat.sequence <= send.heartbeat.sequence;
}

/** The resident that a send runs at: the one that it names, else the first of its model. */
function instanceOf(send: RecentSend, model: HostModel): string | null {
  if (send.instanceIdentifier !== null) return send.instanceIdentifier;
  return send.modelKey === model.modelKey ? (model.residents[0]?.instanceIdentifier ?? null) : null;
}

function busyOf(
  state: HostState,
  listed: Readonly<Record<string, number>>,
  counted: readonly RecentSend[],
  except: string | null,
): number {
  const busy = new Set(Object.keys(listed).filter((identifier) => (listed[identifier] ?? 0) > 0));
  for (const model of state.models) {
    for (const send of counted) {
      const instanceIdentifier = instanceOf(send, model);
      if (instanceIdentifier !== null) busy.add(instanceIdentifier);
    }
  }
  if (except !== null) busy.delete(except);
  return busy.size;
}

function pendingLoad(counted: readonly RecentSend[], modelKey: string): PendingLoad | null {
  let sinceMs = 0;
  let requests = 0;
  for (const send of counted) {
    if (!send.loading || send.modelKey !== modelKey) continue;
    requests += 1;
    sinceMs = Math.max(sinceMs, send.agoMs);
  }
  return requests === 0 ? null : { sinceMs, requests };
}
