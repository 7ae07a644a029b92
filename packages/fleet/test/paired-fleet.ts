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
  /** Folder of a host's files. */
  readonly folder: (host: string) => string;
  /** Invites a host and lets it join. */
  readonly add: (host: string) => Promise<void>;
  /** A connection of a host to nats-server that is open. The fleet closes it. */
  readonly connect: (host: string) => Promise<FleetConnection>;
}

export async function pairedFleet(hosts: readonly string[] = []): Promise<PairedFleet> {
  const root = await mkdtemp(path.join(tmpdir(), 'mai-fleet-'));
  const folder = (host: string): string => path.join(root, host);
  const natsPort = await freePort();
  const joinPort = await freePort();
  const connections: FleetConnection[] = [];
  await initFleet({
    folder: folder('desktop'),
    host: 'desktop',
    address: '127.0.0.1',
    listenAddress: '127.0.0.1',
    natsPort,
    joinPort,
  });
  const add = async (host: string): Promise<void> => {
    await using invitation = await invite({ folder: folder('desktop') });
    await join({ folder: folder(host), invitation: invitation.text, host });
  };
  const close = async (): Promise<void> => {
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    await stopNatsServer(fleetPaths(folder('desktop')));
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
    folder,
    add,
    connect: async (host) => {
      const { natsServers, credentials } = await readFleetIdentity(folder(host));
      const connection = await connectFleet({ servers: natsServers, host, credentials });
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
