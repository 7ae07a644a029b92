import { probeGreeting } from '../discovery/probe.js';
import { listResidents } from '../models/list-models.js';
import { delay } from '../timers.js';
import type { Connection } from '../wire/connection.js';
import { Deadline } from '../wire/deadline.js';
import { CHECK_DEADLINE_MS, unloadResident } from './unload.js';

/** Waits before each check, where LM Studio has not confirmed that the load is over; 2.4 s in all. */
const UNCONFIRMED_WAITS_MS = [0, 150, 350, 700, 1200];

/** A load that was cancelled, or whose connection broke. */
export interface AbandonedLoad {
  readonly identifier: string;
  /** LM Studio confirmed that the load is over, so one check is enough. */
  readonly confirmed: boolean;
}

/**
 * Makes sure that an abandoned load leaves no copy behind: asks over a new connection which models are
 * loaded, and unloads the copy. Resolves `false` where LM Studio could not be asked or never confirmed
 * that the load is over, because the copy may then still appear.
 */
export async function cleanUpLoad(connection: Connection, load: AbandonedLoad): Promise<boolean> {
  const waitsMs = load.confirmed ? [0] : UNCONFIRMED_WAITS_MS;
  let absent = false;
  for (const waitMs of waitsMs) {
    if (waitMs > 0) await delay(connection.timers, waitMs);
    const finding = await checkOnce(connection, load);
    // If the server is gone, its models are, too.
    if (finding === 'server-gone' || finding === 'removed') return true;
    absent = finding === 'absent';
  }
  return load.confirmed && absent;
}

type Finding = 'removed' | 'absent' | 'server-gone' | 'unknown';

async function checkOnce(connection: Connection, load: AbandonedLoad): Promise<Finding> {
  const newDeadline = () => new Deadline(connection.timers, CHECK_DEADLINE_MS, undefined);
  try {
    const probe = await probeGreeting(connection.address, { timeoutMs: CHECK_DEADLINE_MS });
    if (probe.outcome === 'refused') return 'server-gone';
    if (probe.outcome !== 'lmstudio') return 'unknown';
    connection.pool.renew();
    const residents = await listResidents(connection, newDeadline(), 'listing');
    // The identifier was free when the load began, and LM Studio gives an identifier to one copy
    // only.
    const ours = residents.find(({ instanceIdentifier }) => instanceIdentifier === load.identifier);
    if (ours === undefined) return 'absent';
    await unloadResident(connection, ours, newDeadline());
    return 'removed';
  } catch {
    // LM Studio could not be asked; the caller reports the load as uncertain.
    return 'unknown';
  }
}
