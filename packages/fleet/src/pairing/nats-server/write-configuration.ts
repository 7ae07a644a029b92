import { existsSync } from 'node:fs';
import path from 'node:path';

import { hostPermissions } from '../../nats/subjects.js';
import type { AllowList } from '../allow-list.js';
import { fleetPaths, readMembership } from '../files/fleet-folder.js';
import type { OwnServer } from '../files/fleet-folder.js';
import { writePrivateFile } from '../files/private-file.js';
import { hostAndPort } from '../names.js';
import { natsConfiguration } from './configuration.js';
import { findNatsServer } from './executable.js';
import { natsServerPid, reloadNatsServer, type NatsServerStart } from './server-process.js';

/** Writes the configuration of this host's nats-server from an allow-list. */
export async function writeNatsConfiguration(
  folder: string,
  own: { readonly host: string; readonly authority: string; readonly listenAddress: string },
  { hosts, servers, natsPort, routePort }: AllowList,
): Promise<void> {
  const paths = fleetPaths(folder);
  const cluster =
    servers.length === 1
      ? null
      : {
          place: servers.findIndex(({ host }) => host === own.host) + 1,
          port: routePort,
          routes: servers.map(({ address }) => `tls://${hostAndPort(address, routePort)}`),
          keys: servers.flatMap(({ keys }) => keys),
        };
  const text = natsConfiguration({
    listenAddress: own.listenAddress,
    port: natsPort,
    cluster,
    identityPath: paths.natsIdentity,
    authorityPath: paths.authorityCertificate,
    storeFolder: paths.natsStore,
    logPath: paths.natsLog,
    pidPath: paths.natsPid,
    ownSettings: existsSync(paths.natsOwnSettings) ? path.basename(paths.natsOwnSettings) : null,
    users: hosts.flatMap(({ host, users }) => {
      const authorityOver = host === own.authority ? hosts.map((one) => one.host) : null;
      const permissions = hostPermissions(host, { authorityOver });
      return users.map((user) => ({ host, user, permissions }));
    }),
  });
  await writePrivateFile(paths.natsConfiguration, text);
}

/**
 * Brings this host's nats-server in line with an allow-list. Does nothing where this host runs none. A server that is stopped
 * reads the configuration when it starts. Throws `NATS_UNAVAILABLE` where a running server does not take it.
 */
export async function updateNatsServer(folder: string, list: AllowList): Promise<void> {
  const membership = await readMembership(folder);
  if (membership === null || membership.ownServer === null) return;
  const { host, authority, ownServer } = membership;
  const { listenAddress } = ownServer;
  await writeNatsConfiguration(folder, { host, authority, listenAddress }, list);
  const paths = fleetPaths(folder);
  if ((await natsServerPid(paths)) === null) return;
  await reloadNatsServer(await startOf(ownServer, list), paths);
}

/** How this host's nats-server is started. Throws `NATS_UNAVAILABLE` where none is installed. */
export async function startOf(
  { executable, listenAddress }: OwnServer,
  { natsPort }: AllowList,
): Promise<NatsServerStart> {
  const { path: found } = await findNatsServer(executable ?? undefined);
  return { executable: found, listenAddress, port: natsPort };
}
