import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';

import { FleetError, isFleetError } from '../../fleet-error.js';
import type { FleetConnection } from '../../nats/connection.js';
import { certificateFingerprint } from '../../certificates/issue.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { readFleetIdentity } from '../identity.js';
import { stopNatsServer } from '../nats-server/server-process.js';
import { readRegistry } from './registry.js';
import { askAuthority } from './rotate-keys.js';

export interface LeaveFleetOptions {
  readonly folder: string;
  /** Connection over which the authority is informed. Null: it is not informed. */
  readonly connection: FleetConnection | null;
  /** On the machine that holds the authority: end the fleet although other hosts belong to it. Default false. */
  readonly endFleet?: boolean;
  readonly signal?: AbortSignal;
}

/** How leaving ended. */
export type LeaveOutcome =
  /**
   * This host has left. `told` is false if the authority did not confirm it. The certificate then stays valid until
   * `mai fleet remove` is run on the machine with the authority.
   */
  | { readonly kind: 'left'; readonly told: boolean }
  /** This host held the authority. nats-server was stopped, and the other hosts go on alone. */
  | { readonly kind: 'ended' }
  /** Nothing was done: this host holds the authority, and these hosts belong to the fleet. */
  | { readonly kind: 'has-hosts'; readonly hosts: readonly string[] };

/**
 * Takes this host out of its fleet, ends its nats-server and deletes the folder with its keys. Throws `NOT_PAIRED` where it belongs to none.
 */
export async function leaveFleet(options: LeaveFleetOptions): Promise<LeaveOutcome> {
  const { folder, connection, signal } = options;
  const identity = await readFleetIdentity(folder);
  const { host, authority } = identity;
  const others = await hostsLeftBehind(folder);
  if (others.length > 0 && options.endFleet !== true) return { kind: 'has-hosts', hosts: others };
  if (host === authority) {
    await stopNatsServer(fleetPaths(folder), signal);
    await rm(folder, { recursive: true, force: true });
    return { kind: 'ended' };
  }
  let told = false;
  if (connection !== null) {
    const fingerprint = certificateFingerprint(identity.certificate);
    try {
      await askAuthority(connection, identity, { kind: 'leave', host, fingerprint }, signal);
      told = true;
    } catch (error) {
      if (!isFleetError(error)) throw error;
    }
  }
  await stopNatsServer(fleetPaths(folder), signal);
  await rm(folder, { recursive: true, force: true });
  return { kind: 'left', told };
}

/**
 * Leaves a fleet whose files are damaged or missing, without telling the authority. Returns null, and does nothing, where the files are
 * sound.
 *
 * Throws `FILE_UNUSABLE` where this machine made the fleet and `endFleet` is not true, and `NOT_PAIRED` where it belongs to none.
 */
export async function leaveDamagedFleet({
  folder,
  endFleet = false,
  dryRun = false,
  signal,
}: Pick<LeaveFleetOptions, 'folder' | 'endFleet' | 'signal'> & {
  /** Checks, and deletes nothing. Default false. */
  readonly dryRun?: boolean;
}): Promise<LeaveOutcome | null> {
  try {
    await readFleetIdentity(folder);
    return null;
  } catch (error) {
    if (!isFleetError(error) || error.code !== 'FILE_UNUSABLE') throw error;
    const paths = fleetPaths(folder);
    const madeFleet = existsSync(paths.authorityKey);
    if (madeFleet && !endFleet) {
      throw new FleetError(
        'FILE_UNUSABLE',
        `${error.message} This machine made the fleet. Give --end-fleet to end it for all.`,
        { cause: error },
      );
    }
    if (!dryRun) {
      await stopNatsServer(paths, signal);
      await rm(folder, { recursive: true, force: true });
    }
    return madeFleet ? { kind: 'ended' } : { kind: 'left', told: false };
  }
}

/**
 * The hosts whose fleet ends where this one leaves: none, unless this machine holds the authority. Throws `NOT_PAIRED` where it belongs to
 * no fleet.
 */
export async function hostsLeftBehind(folder: string): Promise<readonly string[]> {
  const { host, authority } = await readFleetIdentity(folder);
  if (host !== authority) return [];
  const hosts = (await readRegistry(folder)).hosts.map((one) => one.host);
  return hosts.filter((one) => one !== host);
}
