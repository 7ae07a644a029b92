import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';

import { connectFleet, type FleetConnection } from '../src/nats/connection.js';
import { fleetPaths } from '../src/pairing/files/fleet-folder.js';
import { readFleetIdentity } from '../src/pairing/identity.js';
import { initFleet } from '../src/pairing/init-fleet.js';
import { invite } from '../src/pairing/invitation/invite.js';
import { join } from '../src/pairing/invitation/join.js';
import { stopNatsServer } from '../src/pairing/nats-server/server-process.js';
import { freePort } from './nats-server.js';
import { waitUntil } from './wait-until.js';

/** A fleet on loopback with a real nats-server. `desktop` holds the authority. */
export interface PairedFleet extends AsyncDisposable {
  readonly natsPort: number;
  readonly joinPort: number;
  readonly routePort: number;
  /** Folder of a host's files. */
  readonly folder: (host: string) => string;
  /** Invites a host and lets it join. With `server` it runs the nats-server at this address. */
  readonly add: (host: string, server?: string) => Promise<void>;
  /** A connection of a host that is open, to the nats-server at an address or to any. The fleet closes it. */
  readonly connect: (host: string, server?: string) => Promise<FleetConnection>;
}

/** Addresses of a cluster on loopback. All nats-servers of a fleet have the same port. */
export const CLUSTER = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;

export interface PairedFleetOptions {
  /** Addresses of a cluster; the first is that of `desktop`. Default: one nats-server. */
  readonly cluster?: readonly string[];
  /** Whether `desktop` listens where it does by default, on all network interfaces. Default: on 127.0.0.1 only. */
  readonly onAllInterfaces?: boolean;
}

export async function pairedFleet(
  hosts: readonly string[] = [],
  { cluster, onAllInterfaces = false }: PairedFleetOptions = {},
): Promise<PairedFleet> {
  const root = await mkdtemp(path.join(tmpdir(), 'mai-fleet-'));
  const folder = (host: string): string => path.join(root, host);
  const natsPort = await freePort();
  const joinPort = await freePort();
  const routePort = await freePort();
  const connections: FleetConnection[] = [];
  await initFleet({
    folder: folder('desktop'),
    host: 'desktop',
    address: '127.0.0.1',
    natsPort,
    joinPort,
    routePort,
    ...(onAllInterfaces ? {} : { listenAddress: '127.0.0.1' }),
    ...(cluster === undefined ? {} : { cluster }),
  });
  const joined = new Set(['desktop']);
  const add = async (host: string, server?: string): Promise<void> => {
    const place = server === undefined ? {} : { server };
    await using invitation = await invite({ folder: folder('desktop'), ...place });
    joined.add(host);
    const { ownServer } = await join({
      folder: folder(host),
      invitation: invitation.text,
      host,
      ...(server === undefined ? {} : { listenAddress: server }),
    });
    if (ownServer !== null && ownServer.pid === null) throw new Error(ownServer.fault ?? '');
  };
  const close = async (): Promise<void> => {
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    for (const host of joined) await stopNatsServer(fleetPaths(folder(host)));
    await rm(root, { recursive: true, force: true });
  };
  try {
    for (const host of hosts) await add(host);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    natsPort,
    joinPort,
    routePort,
    folder,
    add,
    connect: async (host, server) => {
      const { natsServers, credentials } = await readFleetIdentity(folder(host));
      const servers = server === undefined ? natsServers : [`tls://${server}:${natsPort}`];
      const connection = await connectFleet({ servers, host, credentials });
      connections.push(connection);
      await waitUntil(() => connection.connected, `${host} is connected`);
      return connection;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** TLS options with the certificate of a host. */
export async function fleetTls(folder: string): Promise<ConnectionOptions> {
  const { authorityCertificate, certificate, privateKey } = await readFleetIdentity(folder);
  return { ca: authorityCertificate, cert: certificate, key: privateKey };
}
