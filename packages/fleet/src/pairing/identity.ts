import { FleetError } from '../fleet-error.js';
import type { ConnectFleetOptions } from '../nats/connection.js';
import type { FleetCredentials } from '../nats/credentials.js';
import { natsUrls, readAllowList } from './allow-list.js';
import type { AllowList } from './allow-list.js';
import { NATS_SERVER_NAME } from '../certificates/issue.js';
import { fleetPaths, JOIN_AGAIN, readFleetFile, readMembership } from './files/fleet-folder.js';
import type { Membership } from './files/fleet-folder.js';
import type { KeyPair } from '../certificates/x509-door.js';

/** The identity of this host in its fleet. */
export interface FleetIdentity extends Membership {
  /** URLs of the fleet's nats-servers, such as `tls://10.0.0.7:4222`, in the order in which this host tries them. */
  readonly natsServers: readonly string[];
  /** Certificate of the fleet's authority, in PEM. */
  readonly authorityCertificate: string;
  /** This host's certificate, in PEM. It is for both ends: as a client and as a server. */
  readonly certificate: string;
  /** This host's private key, in PEM. */
  readonly privateKey: string;
  /** The newest allow-list that this host has kept. */
  readonly allowList: AllowList;
  /** How this host connects to nats-server. */
  readonly credentials: FleetCredentials;
}

/** Reads the identity of this host in its fleet. Throws `NOT_PAIRED` where it belongs to none, and `FILE_UNUSABLE`. */
export async function readFleetIdentity(folder: string): Promise<FleetIdentity> {
  const membership = await readMembership(folder);
  if (membership === null) {
    throw new FleetError(
      'NOT_PAIRED',
      'This machine belongs to no fleet. Make one with `mai fleet init`, or join one with `mai fleet join INVITATION`.',
    );
  }
  const paths = fleetPaths(folder);
  const ca = await readFleetFile(paths.authorityCertificate);
  const pem = await readFleetFile(paths.hostIdentity);
  const allowList = readAllowList(await readFleetFile(paths.allowList), ca);
  if (allowList === null) {
    throw new FleetError(
      'FILE_UNUSABLE',
      `${paths.allowList} is not signed by the authority of this fleet. ${JOIN_AGAIN}`,
    );
  }
  return {
    ...membership,
    natsServers: ownFirst(membership.host, allowList),
    authorityCertificate: ca,
    certificate: blockOf(pem, 'CERTIFICATE', paths.hostIdentity),
    privateKey: blockOf(pem, 'PRIVATE KEY', paths.hostIdentity),
    allowList,
    credentials: {
      caFile: paths.authorityCertificate,
      certFile: paths.hostIdentity,
      keyFile: paths.hostIdentity,
      servername: NATS_SERVER_NAME,
    },
  };
}

/** How this host connects to the nats-servers of its fleet. */
export function connectionOf({
  host,
  natsServers,
  credentials,
  allowList,
}: FleetIdentity): ConnectFleetOptions {
  return { servers: natsServers, revokedKeys: allowList.revokedKeys, host, credentials };
}

/**
 * URLs of the servers in the order in which this host tries them: its own first, then the others in random order. So the authority
 * is not cut off where it removes the host of another server.
 */
export function ownFirst(host: string, { servers, natsPort }: AllowList): readonly string[] {
  const inTurn = servers
    .map((server) => ({ server, turn: server.host === host ? -1 : Math.random() }))
    .sort((one, other) => one.turn - other.turn);
  return natsUrls({ servers: inTurn.map(({ server }) => server), natsPort });
}

/** Text of the file that holds a host's private key and its certificate. */
export function pemOf(keys: KeyPair, certificate: string): string {
  return `${keys.privateKey.trim()}\n${certificate.trim()}\n`;
}

function blockOf(pem: string, label: string, path: string): string {
  const block = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(pem);
  if (block === null)
    throw new FleetError('FILE_UNUSABLE', `${path} holds no ${label}. ${JOIN_AGAIN}`);
  return `${block[0]}\n`;
}
