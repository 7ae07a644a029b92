import { issueNatsCertificate, isRenewalDue } from '../certificates/issue.js';
import { fleetPaths, readFleetFile } from '../files/fleet-folder.js';
import { writePrivateFile } from '../files/private-file.js';
import {
  reloadNatsServer,
  startNatsServer,
  stopNatsServer,
} from '../nats-server/server-process.js';
import { readRegistry } from './registry.js';

/**
 * Starts nats-server on the machine that holds the fleet's authority, unless it runs. It goes on when this process ends.
 * Returns its process identifier.
 *
 * Throws `NOT_PAIRED` on another machine, `NATS_UNAVAILABLE` and `ADDRESS_IN_USE`.
 */
export async function ensureNatsServer(options: {
  readonly folder: string;
  readonly signal?: AbortSignal;
}): Promise<number> {
  const { folder, signal } = options;
  await renewNatsCertificate(folder, new Date());
  const { natsServer } = await readRegistry(folder);
  return await startNatsServer(natsServer, fleetPaths(folder), signal);
}

/** Replaces the certificate of nats-server where less than a third of its life is left. A running nats-server takes it up. */
export async function renewNatsCertificate(folder: string, now: Date): Promise<void> {
  const paths = fleetPaths(folder);
  if (!isRenewalDue(await readFleetFile(paths.natsCertificate), now)) return;
  const { natsServer, address } = await readRegistry(folder);
  const authority = {
    certificate: await readFleetFile(paths.authorityCertificate),
    privateKey: await readFleetFile(paths.authorityKey),
  };
  const renewed = await issueNatsCertificate(authority, address, new Date());
  await writePrivateFile(paths.natsKey, renewed.privateKey);
  await writePrivateFile(paths.natsCertificate, renewed.certificate);
  await reloadNatsServer(natsServer, paths);
}

/** Ends the fleet's nats-server on this machine, and waits for its end. Does nothing where it does not run. */
export function endNatsServer(options: {
  readonly folder: string;
  readonly signal?: AbortSignal;
}): Promise<void> {
  return stopNatsServer(fleetPaths(options.folder), options.signal);
}
