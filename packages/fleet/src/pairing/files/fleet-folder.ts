import { join } from 'node:path';

import { z } from 'zod/mini';

import type { Certified } from '../../certificates/x509-door.js';
import { FleetError } from '../../fleet-error.js';
import { isHostName } from '../../nats/subjects.js';
import { isAddress } from '../names.js';
import { readPrivateFile } from './private-file.js';

/** Paths of a host's fleet files. */
export interface FleetPaths {
  readonly folder: string;
  /** The host's fleet, and its name there. Written last, so this file exists only if the other files do. */
  readonly membership: string;
  /** Certificate of the fleet's authority. */
  readonly authorityCertificate: string;
  /** Private key of the authority. Only on the host that made the fleet. */
  readonly authorityKey: string;
  /** This host's private key and its certificate. One file is replaced in one step, so the two always match. */
  readonly hostIdentity: string;
  readonly allowList: string;
  /** The epoch of this machine's last start. */
  readonly serving: string;
  /** All hosts and their certificates. Only on the host that made the fleet. */
  readonly registry: string;
  readonly natsFolder: string;
  readonly natsConfiguration: string;
  /** Settings for nats-server that a person writes, such as leaf nodes. Missing where there are none. */
  readonly natsOwnSettings: string;
  /** Key and certificate of this host's nats-server, in one file, so that the two always match. */
  readonly natsIdentity: string;
  readonly natsStore: string;
  readonly natsLog: string;
  readonly natsPid: string;
}

export function fleetPaths(folder: string): FleetPaths {
  const natsFolder = join(folder, 'nats');
  return {
    folder,
    membership: join(folder, 'fleet.json'),
    authorityCertificate: join(folder, 'authority.crt'),
    authorityKey: join(folder, 'authority.key'),
    hostIdentity: join(folder, 'host.pem'),
    allowList: join(folder, 'allow-list.json'),
    serving: join(folder, 'serving.json'),
    registry: join(folder, 'hosts.json'),
    natsFolder,
    natsConfiguration: join(natsFolder, 'nats-server.conf'),
    natsOwnSettings: join(natsFolder, 'own-settings.conf'),
    natsIdentity: join(natsFolder, 'nats-server.pem'),
    natsStore: join(natsFolder, 'store'),
    natsLog: join(natsFolder, 'nats-server.log'),
    natsPid: join(natsFolder, 'nats-server.pid'),
  };
}

const hostName = z.string().check(z.refine(isHostName));

const membershipSchema = z.strictObject({
  version: z.literal(1),
  host: hostName,
  authority: hostName,
  ownServer: z.nullable(
    z.strictObject({
      listenAddress: z.string().check(z.refine(isAddress)),
      executable: z.nullable(z.string()),
    }),
  ),
});

/** The membership of a host in its fleet. */
export interface Membership {
  /** Name of this host. */
  readonly host: string;
  /** Name of the host that made the fleet and holds its authority. */
  readonly authority: string;
  /** The nats-server that this host runs for its fleet; null where it runs none. */
  readonly ownServer: OwnServer | null;
}

export interface OwnServer {
  /** Address of the network interface on which nats-server listens; `0.0.0.0` and `::` are all of them. */
  readonly listenAddress: string;
  /** Path of nats-server. Null: the one that is found when it is started. */
  readonly executable: string | null;
}

/** Text of the membership file. */
export function writeMembership(membership: Membership): string {
  return `${JSON.stringify({ version: 1, ...membership }, null, 2)}\n`;
}

/** Reads the membership, or null where this machine belongs to no fleet. Throws `FILE_UNUSABLE` for a damaged file. */
export async function readMembership(folder: string): Promise<Membership | null> {
  const path = fleetPaths(folder).membership;
  const text = await readPrivateFile(path);
  if (text === null) return null;
  const { host, authority, ownServer } = parseFile(path, text, membershipSchema);
  return { host, authority, ownServer };
}

/** Throws `FILE_UNUSABLE` where this machine belongs to a fleet already, or where its membership file is damaged. */
export async function requireNoMembership(folder: string): Promise<void> {
  const existing = await readMembership(folder);
  if (existing === null) return;
  throw new FleetError(
    'FILE_UNUSABLE',
    `This machine belongs to a fleet already, as ${existing.host}. Leave it first with \`mai fleet leave\`. The files are in ${folder}.`,
  );
}

/** What to do about a file that cannot be used. */
export const JOIN_AGAIN =
  'Restore it from a backup, or leave the fleet with `mai fleet leave` and join it again.';

/** Reads a file that must be there in a fleet. */
export async function readFleetFile(path: string): Promise<string> {
  const text = await readPrivateFile(path);
  if (text === null) {
    throw new FleetError('FILE_UNUSABLE', `${path} is missing. ${JOIN_AGAIN}`);
  }
  return text;
}

/** The certificate and the key of the authority, on the machine that holds it. Throws `FILE_UNUSABLE` on any other. */
export async function readAuthority(folder: string): Promise<Certified> {
  const paths = fleetPaths(folder);
  return {
    certificate: await readFleetFile(paths.authorityCertificate),
    privateKey: await readFleetFile(paths.authorityKey),
  };
}

/** Parses a JSON file of the fleet. Throws `FILE_UNUSABLE` that names the file. */
export function parseFile<T extends z.core.$ZodType>(
  path: string,
  text: string,
  schema: T,
): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FleetError('FILE_UNUSABLE', `${path} is not JSON. ${JOIN_AGAIN}`, { cause: error });
  }
  const result = z.safeParse(schema, value);
  if (!result.success) {
    throw new FleetError(
      'FILE_UNUSABLE',
      `${path} is damaged, or of another version of Mai: ${z.prettifyError(result.error)}\n${JOIN_AGAIN}`,
      { cause: result.error },
    );
  }
  return result.data;
}
