import type { ServingPlan, ServingRequest } from '../../ports/serving-port.js';
import type { Ticket } from '../ticket.js';

/** Waiting requests with the same conditions. One acquire serves all of them. In a fleet it may serve only one of them. */
export interface Group {
  key: string;
  /** The key without the part that `splitGroup` adds. */
  readonly sharedKey: string;
  /** The request to the machine, without residents that have failed. */
  readonly wanted: ServingRequest;
  readonly tickets: Set<Ticket>;
  /** Set where a client was asked to try again later: the model is loaded even if nobody waits for it now. */
  promised: { readonly sinceMs: number; readonly untilMs: number } | null;
  /** Whether an equal group was cancelled a short time ago, because its last client had left. This group is then not cancelled. */
  readonly isRepeated: boolean;
  phase: 'idle' | 'planning' | 'acquiring';
  plan: ServingPlan | null;
  /** The epoch in which the plan was made. */
  planEpoch: number;
  /** The open acquire. `forResident`: the model was resident when the machine was asked, so no load was planned. */
  acquire: {
    readonly stop: AbortController;
    readonly startedMs: number;
    readonly forResident: boolean;
  } | null;
  /** Grants in succession that served no ticket, and when the next acquire may start. */
  fruitless: number;
  notBeforeMs: number;
}

/** A group without tickets. */
export function newGroup(key: string, wanted: ServingRequest, isRepeated: boolean): Group {
  return {
    key,
    sharedKey: key,
    wanted,
    isRepeated,
    tickets: new Set(),
    promised: null,
    phase: 'idle',
    plan: null,
    planEpoch: -1,
    acquire: null,
    fruitless: 0,
    notBeforeMs: 0,
  };
}

/**
 * Leaves the oldest request with the open acquire of a group, which gets the new key, and moves the others to a new group under the
 * key of before.
 */
export function splitGroup(group: Group, key: string): Group {
  const rest = newGroup(group.key, group.wanted, group.isRepeated);
  const [oldest, ...others] = group.tickets;
  group.key = key;
  if (oldest !== undefined) oldest.groupKey = key;
  for (const ticket of others) {
    group.tickets.delete(ticket);
    rest.tickets.add(ticket);
  }
  return rest;
}

/** Since when somebody has waited for a group. */
export function sinceOf({ tickets, promised }: Group): number {
  return Math.min(promised?.sinceMs ?? Infinity, ...[...tickets].map(({ sinceMs }) => sinceMs));
}

/** The prompt of the request that waits longest, for which the next lease is asked. */
export function oldestPrompt({
  tickets,
}: Group): Pick<ServingRequest, 'promptTokens' | 'prefixKey'> {
  const [oldest] = tickets;
  if (oldest === undefined) return { promptTokens: null, prefixKey: null };
  const { promptTokens, prefixKey } = oldest.request.wanted;
  return { promptTokens, prefixKey };
}

/** The reason of an acquire that is cancelled. */
export function gaveUp(): DOMException {
  return new DOMException('No request waits for this model any more.', 'AbortError');
}

/** Requests of the same kind are mostly one object. */
const groupKeys = new WeakMap<ServingRequest, string>();

/** Requests with the same key share one load. Residents that failed are named when the load begins. */
export function groupKeyOf(wanted: ServingRequest): string {
  const known = groupKeys.get(wanted);
  if (known !== undefined) return known;
  const key = createGroupKey(wanted);
  groupKeys.set(wanted, key);
  return key;
}

function createGroupKey(wanted: ServingRequest): string {
  const { capabilities, minContextLengthTokens, tiers, chain, modelKey, instanceIdentifier } =
    wanted;
  const names = capabilities.length < 2 ? capabilities : [...capabilities].sort();
  const allowed = tiers === null || tiers.length < 2 ? tiers : [...tiers].sort();
  // No name holds this character. JSON would cost a fiftieth of a small request's CPU time.
  return `${names.join()}\0${minContextLengthTokens}\0${allowed?.join() ?? '*'}\0${chain}\0${modelKey}\0${instanceIdentifier}`;
}
