import {
  issueAuthority,
  issueHostCertificate,
  issueNatsCertificate,
} from '../certificates/issue.js';
import { fleetPaths, requireNoMembership, writeMembership } from './files/fleet-folder.js';
import { makePrivateFolder, writePrivateFile } from './files/private-file.js';
import { writeRegistry } from './hosts/registry.js';
import { anyAddress, checkHostName, hostAndPort, isAddress, isPort } from './names.js';
import { findNatsServer } from './nats-server/executable.js';
import { natsServerCommand, startNatsServer } from './nats-server/server-process.js';
import { pemOf } from './identity.js';
import { generateKeyPair } from '../certificates/x509-door.js';

const DEFAULT_NATS_PORT = 4222;
const DEFAULT_ROUTE_PORT = 6222;
const DEFAULT_JOIN_PORT = 8898;

export interface InitFleetOptions {
  /** Folder for the fleet's files. It is made with mode 0700. */
  readonly folder: string;
  /** Name of this host in the fleet. */
  readonly host: string;
  /** Address at which the other hosts reach this machine: an IP address or a DNS name. */
  readonly address: string;
  /**
   * Address of the network interface on which nats-server and the join server listen. Default: all network interfaces, of IPv4 and
   * IPv6, because `address` may change.
   */
  readonly listenAddress?: string;
  /**
   * Addresses of the nats-servers of a cluster: three or five, one of them `address`. `invite` with one of the others makes a
   * machine a server. Default: this machine runs the only nats-server.
   */
  readonly cluster?: readonly string[];
  /** Port of each nats-server for the hosts. Default 4222. */
  readonly natsPort?: number;
  /** Port of each nats-server for the other servers of a cluster. Default 6222. */
  readonly routePort?: number;
  /** Port on which this machine takes hosts that join. Default 8898. */
  readonly joinPort?: number;
  /** Path of nats-server. Default: the one that is installed. */
  readonly natsServer?: string;
  /** Whether to start nats-server. Default true; false where something else starts it with `command`. */
  readonly start?: boolean;
  readonly signal?: AbortSignal;
}

export interface InitializedFleet {
  readonly host: string;
  /** URL of this machine's nats-server. */
  readonly natsUrl: string;
  /** Addresses of a cluster whose nats-servers no machine runs yet. Empty with one server. */
  readonly freeServers: readonly string[];
  /** Command that starts nats-server with the fleet's configuration. */
  readonly command: string;
  /** Process identifier of the nats-server that was started; null where it was not started. */
  readonly pid: number | null;
}

/**
 * Makes a fleet with this host as its first: the fleet's certificate authority, a key and a certificate for this host and
 * for nats-server, and the configuration of nats-server, which is then started. All files have mode 0600.
 *
 * Throws `NATS_UNAVAILABLE` where no nats-server is installed, `ADDRESS_IN_USE` where its port is taken, and `FILE_UNUSABLE`
 * where this machine belongs to a fleet already or a file cannot be written. Throws a `RangeError` for an invalid host
 * name, address or port.
 */
export async function initFleet(options: InitFleetOptions): Promise<InitializedFleet> {
  const { folder, host, address } = options;
  const { natsPort, routePort, joinPort, addresses, listenAddress, natsServer } =
    await checkInit(options);
  const paths = fleetPaths(folder);

  const now = new Date();
  await makePrivateFolder(folder);
  await makePrivateFolder(paths.natsFolder);
  const authority = await issueAuthority(now);
  const keys = await generateKeyPair();
  const own = await issueHostCertificate(authority, host, keys.publicKey, now);
  const natsCertificate = await issueNatsCertificate(authority, address, keys.publicKey, now);
  await writePrivateFile(paths.authorityCertificate, authority.certificate);
  await writePrivateFile(paths.authorityKey, authority.privateKey);
  await writePrivateFile(paths.hostIdentity, pemOf(keys, own.certificate));
  await writePrivateFile(paths.natsIdentity, pemOf(keys, natsCertificate));
  const registry = {
    revision: 1,
    authority: host,
    address,
    listenAddress,
    natsPort,
    routePort,
    joinPort,
    servers: addresses.map((one) => ({ address: one, host: one === address ? host : null })),
    revokedKeys: [],
    hosts: [{ host, addedAt: now.toISOString(), certificates: [own] }],
  };
  await writeRegistry(folder, registry);
  const start = { executable: natsServer.path, listenAddress, port: natsPort };
  const pid = options.start === false ? null : await startNatsServer(start, paths, options.signal);
  await writePrivateFile(
    paths.membership,
    writeMembership({
      host,
      authority: host,
      ownServer: { listenAddress, executable: natsServer.path },
    }),
  );
  return {
    host,
    natsUrl: `tls://${hostAndPort(address, natsPort)}`,
    freeServers: addresses.filter((one) => one !== address),
    command: natsServerCommand(natsServer.path, paths),
    pid,
  };
}

/** JetStream needs a majority of its servers, so two servers survive no more failures than one. */
function checkCluster(addresses: readonly string[], own: string): void {
  if (![3, 5].includes(addresses.length) || new Set(addresses).size !== addresses.length) {
    throw new RangeError(
      'A cluster has three or five nats-servers, each with an address of its own.',
    );
  }
  if (!addresses.includes(own)) {
    throw new RangeError(`None of ${addresses.join(', ')} is ${own}, the address of this machine.`);
  }
}

/** Checks what `initFleet` needs, and throws as it does. Changes nothing. Returns the options with their defaults. */
export async function checkInit(options: InitFleetOptions) {
  const { folder, host, address } = options;
  const natsPort = options.natsPort ?? DEFAULT_NATS_PORT;
  const routePort = options.routePort ?? DEFAULT_ROUTE_PORT;
  const joinPort = options.joinPort ?? DEFAULT_JOIN_PORT;
  const addresses = options.cluster ?? [address];
  const listenAddress = options.listenAddress ?? anyAddress();
  checkHostName(host);
  for (const one of [...addresses, address, listenAddress]) {
    if (!isAddress(one)) {
      throw new RangeError(`${JSON.stringify(one)} is neither an IP address nor a DNS name.`);
    }
  }
  if (options.cluster !== undefined) checkCluster(options.cluster, address);
  for (const one of [natsPort, routePort, joinPort]) {
    if (!isPort(one)) throw new RangeError(`${one} is not a port. Ports go from 1 to 65535.`);
  }
  await requireNoMembership(folder);
  const natsServer = await findNatsServer(options.natsServer);
  return { natsPort, routePort, joinPort, addresses, listenAddress, natsServer };
}
