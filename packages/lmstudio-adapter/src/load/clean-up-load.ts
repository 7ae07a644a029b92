import { type Connection, unreachable } from '../wire/connection.js';
import { probeGreeting } from '../discovery/probe.js';
import type { ModelKind, ResidentInstance } from '../models/model-types.js';
import { delay } from '../timers.js';
import { listResidents } from '../models/list-models.js';
import { Budget } from '../wire/deadline.js';
import { isCallFault } from '../wire/call-fault.js';

/** Deadline of each question while cleaning up. */
const STEP_MS = 2000;

/** When to look again for a load that LM Studio has not confirmed to be over. */
const UNCONFIRMED_LOOKS_MS = [0, 150, 350, 700, 1200];

/** A load that was given up. */
export interface AbandonedLoad {
  readonly identifier: string;
  /** LM Studio ended the load's channel itself, so one look is enough. */
  readonly confirmed: boolean;
}

/**
 * Makes sure that a load which was given up leaves nothing resident: asks over a connection of its
 * own what is loaded, and unloads the copy. Resolves `false` when LM Studio could not be asked, or
 * never said that the load is over: it may then still appear.
 */
export async function reconcile(connection: Connection, load: AbandonedLoad): Promise<boolean> {
  const looks = load.confirmed ? [0] : UNCONFIRMED_LOOKS_MS;
  let seenAll = false;
  for (const waitMs of looks) {
    if (waitMs > 0) await delay(connection.timers, waitMs);
    const look = await lookOnce(connection, load);
    // A server that is gone took its models with it.
    if (look === 'server-gone' || look === 'removed') return true;
    seenAll = look === 'absent';
  }
  return load.confirmed && seenAll;
}

type Look = 'removed' | 'absent' | 'server-gone' | 'unknown';

async function lookOnce(connection: Connection, load: AbandonedLoad): Promise<Look> {
  try {
    const probe = await probeGreeting(connection.address, { timeoutMs: STEP_MS });
    if (probe.outcome === 'refused') return 'server-gone';
    if (probe.outcome !== 'lmstudio') return 'unknown';
    connection.pool.renew();
    const budget = new Budget(connection.timers, STEP_MS, undefined);
    const residents = await listResidents(connection, budget, 'listing');
    // The identifier was free when the load began, and LM Studio refuses a second claim to it.
    const ours = residents.find(({ instanceIdentifier }) => instanceIdentifier === load.identifier);
    if (ours === undefined) return 'absent';
    await unloadResident(connection, ours, new Budget(connection.timers, STEP_MS, undefined));
    return 'removed';
  } catch {
    return 'unknown';
  }
}

/**
 * Unloads one resident over a connection of its own. When the answer stays out, a new connection is
 * asked whether it is gone; then that is the answer.
 */
export async function unloadResident(
  connection: Connection,
  resident: Pick<ResidentInstance, 'instanceIdentifier' | 'deviceIdentifier'> & {
    readonly kind: ModelKind;
  },
  budget: Budget,
): Promise<void> {
  const { kind, instanceIdentifier, deviceIdentifier } = resident;
  try {
    await connection.pool.command((session) =>
      session.call(budget.spec(kind, 'unloadModel'), (wire) =>
        wire.unloadModel(kind, instanceIdentifier, deviceIdentifier),
      ),
    );
  } catch (error) {
    if (isCallFault(error, 'unauthorized', 'closed')) throw error;
    if (await isGone(connection, instanceIdentifier)) return;
    throw error;
  }
}

async function isGone(connection: Connection, identifier: string): Promise<boolean> {
  try {
    const probe = await probeGreeting(connection.address, { timeoutMs: STEP_MS });
    if (probe.outcome === 'refused') throw unreachable(connection.address, 'connection refused');
    connection.pool.renew();
    const budget = new Budget(connection.timers, STEP_MS, undefined);
    const residents = await listResidents(connection, budget, 'listing');
    return residents.every(({ instanceIdentifier }) => instanceIdentifier !== identifier);
  } catch {
    return false;
  }
}
