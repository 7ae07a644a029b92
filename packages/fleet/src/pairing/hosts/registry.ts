import { z } from 'zod/mini';

import { FleetError } from '../../fleet-error.js';
import { isHostName } from '../../nats/subjects.js';
import { NATS_USER, signAllowList } from '../allow-list.js';
import { keyFingerprint } from '../../certificates/issue.js';
import type { AllowList } from '../allow-list.js';
import type { HostCertificate } from '../../certificates/issue.js';
import { fleetPaths, parseFile, readFleetFile } from '../files/fleet-folder.js';
import { readPrivateFile, writePrivateFile } from '../files/private-file.js';
import { withRegistryLock } from '../files/registry-lock.js';
import { isAddress, isPort } from '../names.js';
import { updateNatsServer, writeNatsConfiguration } from '../nats-server/write-configuration.js';

const port = z.int().check(z.refine(isPort));

const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/));

const registrySchema = z.strictObject({
  version: z.literal(1),
  /** Counts the changes. It is the revision of the allow-list. */
  revision: z.int(),
  authority: z.string().check(z.refine(isHostName)),
  /** Address at which the other hosts reach this one. */
  address: z.string().check(z.refine(isAddress)),
  listenAddress: z.string().check(z.refine(isAddress)),
  natsPort: port,
  routePort: port,
  joinPort: port,
  servers: z.array(
    z.strictObject({
      address: z.string().check(z.refine(isAddress)),
      host: z.nullable(z.string().check(z.refine(isHostName))),
    }),
  ),
  /** Keys that servers of the fleet had, until the last certificate of each has ended by its date. */
  revokedKeys: z.array(z.strictObject({ key: digest, expiresAt: z.string() })),
  hosts: z.array(
    z.strictObject({
      host: z.string().check(z.refine(isHostName)),
      addedAt: z.string(),
      /** The newest last. */
      certificates: z.array(
        z.strictObject({
          certificate: z.string(),
          user: z.string().check(z.regex(NATS_USER)),
          fingerprint: digest,
          expiresAt: z.string(),
        }),
      ),
    }),
  ),
});

/** All hosts of a fleet, as its authority keeps them. */
export interface Registry {
  readonly revision: number;
  readonly authority: string;
  readonly address: string;
  readonly listenAddress: string;
  readonly natsPort: number;
  readonly routePort: number;
  readonly joinPort: number;
  /** The fleet's nats-servers: their addresses, and the hosts that run them. */
  readonly servers: readonly ServerPlace[];
  readonly revokedKeys: readonly RevokedKey[];
  readonly hosts: readonly RegisteredHost[];
}

/** A key that a server of the fleet had. */
export interface RevokedKey {
  readonly key: string;
  /** From then on no certificate of the key is valid. */
  readonly expiresAt: string;
}

export interface ServerPlace {
  readonly address: string;
  /** Null while no host runs this server. */
  readonly host: string | null;
}

export interface RegisteredHost {
  readonly host: string;
  readonly addedAt: string;
  readonly certificates: readonly HostCertificate[];
}

/** Reads the registry. Throws `NOT_PAIRED` on a host that does not hold the fleet's authority. */
export async function readRegistry(folder: string): Promise<Registry> {
  const path = fleetPaths(folder).registry;
  const text = await readPrivateFile(path);
  if (text === null) {
    throw new FleetError(
      'NOT_PAIRED',
      'This machine does not hold the authority of a fleet. Run the command on the machine where `mai fleet init` ran.',
    );
  }
  return parseFile(path, text, registrySchema);
}

/** The allow-list that follows from a registry. */
function allowListOf(registry: Registry): AllowList {
  return {
    revision: registry.revision,
    hosts: registry.hosts.map(({ host, certificates }) => ({
      host,
      fingerprints: certificates.map(({ fingerprint }) => fingerprint),
      users: certificates.map(({ user }) => user),
    })),
    natsPort: registry.natsPort,
    routePort: registry.routePort,
    servers: registry.servers.map(({ address, host }) => ({
      address,
      host,
      keys: registry.hosts
        .filter((one) => one.host === host)
        .flatMap(({ certificates }) => certificates)
        .map(({ certificate }) => keyFingerprint(certificate)),
    })),
    revokedKeys: registry.revokedKeys.map(({ key }) => key),
  };
}

/** The revoked keys after a change: those of before that may still be valid, and the keys that servers have no longer. */
function revokedAfter(before: Registry, after: Registry, now: Date): readonly RevokedKey[] {
  const used = new Set(allowListOf(after).servers.flatMap(({ keys }) => keys));
  const runs = new Set(before.servers.map(({ host }) => host));
  const dropped = before.hosts
    .filter(({ host }) => runs.has(host))
    .flatMap(({ certificates }) => certificates)
    .map(({ certificate, expiresAt }) => ({ key: keyFingerprint(certificate), expiresAt }))
    .filter(({ key }) => !used.has(key));
  const kept = before.revokedKeys.filter(({ expiresAt }) => Date.parse(expiresAt) > now.getTime());
  return [...kept, ...dropped];
}

/**
 * Changes the hosts of a fleet, one change at a time. The users of nats-server and the allow-list follow: they are written
 * anew, and the nats-server of this machine reads its users again before this returns; `tellAllowList` tells the other
 * servers. Returns the new registry and its signed allow-list.
 *
 * @param options.undoOnFault whether the files go back where nats-server does not take the change: an admission is undone, a
 *   removal stays
 * @param options.announce called once the list is signed, and before nats-server takes the change
 */
export async function changeHosts(
  folder: string,
  change: (registry: Registry) => Partial<Pick<Registry, 'hosts' | 'servers' | 'address'>>,
  { undoOnFault, announce }: ChangeOptions,
): Promise<{ readonly registry: Registry; readonly allowList: string }> {
  return await withRegistryLock(folder, async () => {
    const before = await readRegistry(folder);
    const changed = { ...before, ...change(before), revision: before.revision + 1 };
    const registry = { ...changed, revokedKeys: revokedAfter(before, changed, new Date()) };
    const allowList = await writeRegistry(folder, registry);
    await announce?.();
    try {
      await updateNatsServer(folder, allowListOf(registry));
    } catch (error) {
      // The revision still grows, because another host may have seen the new list.
      if (undoOnFault) {
        await writeRegistry(folder, { ...before, revision: registry.revision + 1 });
      }
      throw error;
    }
    return { registry, allowList };
  });
}

interface ChangeOptions {
  readonly undoOnFault: boolean;
  readonly announce?: (() => Promise<void>) | undefined;
}

/** Writes the registry and the files that follow from it. Returns the signed allow-list. */
export async function writeRegistry(folder: string, registry: Registry): Promise<string> {
  const paths = fleetPaths(folder);
  const list = allowListOf(registry);
  const allowList = signAllowList(list, await readFleetFile(paths.authorityKey));
  await writePrivateFile(
    paths.registry,
    `${JSON.stringify({ version: 1, ...registry }, null, 2)}\n`,
  );
  const { authority, listenAddress } = registry;
  await writeNatsConfiguration(folder, { host: authority, authority, listenAddress }, list);
  await writePrivateFile(paths.allowList, allowList);
  return allowList;
}
