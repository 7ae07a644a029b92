import { pause, systemClock } from '../../clock.js';
import { FleetError } from '../../fleet-error.js';
import { connectFleet, type FleetConnection } from '../../nats/connection.js';
import { ALLOW_LIST_KEY } from '../../nats/subjects.js';
import { untilConnected } from '../../nats/until-connected.js';
import { readAllowList, type AllowList } from '../allow-list.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { writePrivateFile } from '../files/private-file.js';
import { connectionOf, readFleetIdentity, type FleetIdentity } from '../identity.js';
import { hostAndPort, isAddress } from '../names.js';
import { changeHosts } from './registry.js';
import { openFleetBucket } from './tell-allow-list.js';

const CONNECTED_MS = 10_000;
const LIST_MS = 10_000;

export interface ChangeAddressOptions {
  readonly folder: string;
  /** The new address of the machine that made the fleet: an IP address or a DNS name. */
  readonly address: string;
  readonly signal: AbortSignal;
}

/**
 * Takes a new address of the machine that made the fleet. On that machine, signs a list of hosts with it. On another one, gets that list
 * from nats-server at the new address: TLS shows whether it is the nats-server of this fleet. A running `mai serve --fleet` takes the list
 * from the folder.
 *
 * Throws `FLEET_UNREACHABLE` where the fleet's nats-server does not answer at the address, has no list yet, or has an older list than this
 * machine; `INVALID_REQUEST` in a cluster of nats-servers; `NOT_PAIRED`; and a `RangeError` for an invalid address.
 */
export async function changeAddress(options: ChangeAddressOptions): Promise<FleetIdentity> {
  const { folder, address } = options;
  const identity = await checkChangeAddress(options);
  const { host, authority } = identity;
  if (host === authority) {
    await changeHosts(
      folder,
      ({ servers }) => ({ address, servers: servers.map((one) => ({ ...one, address })) }),
      { undoOnFault: true },
    );
  } else {
    await writePrivateFile(fleetPaths(folder).allowList, await listFrom(identity, options));
  }
  return readFleetIdentity(folder);
}

/** Checks what `changeAddress` needs, and throws as it does. Changes nothing and asks no other machine. */
export async function checkChangeAddress({
  folder,
  address,
}: ChangeAddressOptions): Promise<FleetIdentity> {
  if (!isAddress(address))
    throw new RangeError(`${JSON.stringify(address)} is neither an IP address nor a DNS name.`);
  const identity = await readFleetIdentity(folder);
  // The certificates for the routes between the servers hold their addresses.
  if (identity.allowList.servers.length > 1)
    throw new FleetError(
      'INVALID_REQUEST',
      'The addresses of a cluster of nats-servers cannot be changed. Make the fleet again, with DNS names.',
    );
  return identity;
}

/** The signed list of hosts at the new address. */
async function listFrom(
  identity: FleetIdentity,
  { address, signal }: ChangeAddressOptions,
): Promise<string> {
  const { allowList } = identity;
  const url = `tls://${hostAndPort(address, allowList.natsPort)}`;
  await using connection = await connectFleet({ ...connectionOf(identity), servers: [url] });
  const clock = systemClock;
  if (!(await untilConnected(connection, { clock, deadlineMs: CONNECTED_MS, signal })))
    throw new FleetError(
      'FLEET_UNREACHABLE',
      `The fleet's nats-server does not answer at ${url}${connection.fault === null ? '' : ` (${connection.fault.message})`}. Run the command on ${identity.authority} first.`,
    );
  const text = await readList(connection, allowList, signal);
  const list = text === null ? null : readAllowList(text, identity.authorityCertificate);
  if (text === null || list === null || !names(list, address))
    throw new FleetError(
      'FLEET_UNREACHABLE',
      `The list of hosts at ${url} does not name ${address}. Run \`mai fleet address ${address}\` on ${identity.authority} first.`,
    );
  // Without a name in the own list, a list of the same number is another one: it was signed after an older backup was restored.
  const isOlder =
    list.revision < allowList.revision ||
    (list.revision === allowList.revision && !names(allowList, address));
  if (isOlder)
    throw new FleetError(
      'FLEET_UNREACHABLE',
      `The list of hosts at ${url} is older than the one here: the folder of ${identity.authority} comes from an older backup. Run \`mai fleet leave\` here, remove ${identity.host} there, and join again.`,
    );
  return text;
}

function names({ servers }: AllowList, address: string): boolean {
  return servers.some((one) => one.address === address);
}

/** The newest list in the fleet's bucket; null where there is none in time. */
async function readList(
  connection: FleetConnection,
  list: AllowList,
  signal: AbortSignal,
): Promise<string | null> {
  const bucket = await openFleetBucket(connection, list);
  const found = new AbortController();
  let text: string | null = null;
  const watcher = await bucket.watch(({ key, value }) => {
    if (key !== ALLOW_LIST_KEY || value === null) return;
    text = Buffer.from(value).toString('utf8');
    found.abort();
  });
  await pause(systemClock, LIST_MS, AbortSignal.any([signal, found.signal]));
  watcher.stop();
  signal.throwIfAborted();
  return text;
}
