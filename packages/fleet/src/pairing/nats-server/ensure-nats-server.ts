import { isOn } from '../allow-list.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { readFleetIdentity } from '../identity.js';
import { startNatsServer, stopNatsServer } from './server-process.js';
import { startOf, updateNatsServer } from './write-configuration.js';

/**
 * Starts the nats-server that this host runs for its fleet, unless it runs. It keeps running when this process ends. Its
 * configuration follows the newest allow-list that this host has kept. Returns its process identifier, or null where this
 * host runs none, or was removed from the fleet.
 *
 * Throws `NOT_PAIRED` where this machine belongs to no fleet, `NATS_UNAVAILABLE` and `ADDRESS_IN_USE`.
 */
export async function ensureNatsServer(options: {
  readonly folder: string;
  readonly signal?: AbortSignal;
}): Promise<number | null> {
  const { folder, signal } = options;
  const { host, ownServer, allowList } = await readFleetIdentity(folder);
  if (ownServer === null || !isOn(allowList, host)) return null;
  await updateNatsServer(folder, allowList);
  return await startNatsServer(await startOf(ownServer, allowList), fleetPaths(folder), signal);
}

/** Ends the fleet's nats-server on this machine, and waits for its end. Does nothing where it does not run. */
export function endNatsServer(options: {
  readonly folder: string;
  readonly signal?: AbortSignal;
}): Promise<void> {
  return stopNatsServer(fleetPaths(options.folder), options.signal);
}
