import { pause, systemClock } from '../clock.js';
import type { FleetView } from '../fleet-view.js';
import { messageOf } from '../error-facts.js';
import { isFleetError } from '../fleet-error.js';
import { askState } from '../membership/ask-state.js';
import { openMembers, type Members } from '../membership/members.js';
import { connectFleet, type FleetConnection } from '../nats/connection.js';
import { heartbeatSubject } from '../nats/subjects.js';
import { untilConnected } from '../nats/until-connected.js';
import { tellAllowList, type ToldAllowList } from '../pairing/hosts/tell-allow-list.js';
import { stateOfDevice, type OwnFactsPort } from '../own/own-facts.js';
import { connectionOf, readFleetIdentity } from '../pairing/identity.js';
import { readServingEpoch } from '../pairing/files/serving.js';
import { decodeHeartbeat } from '../state/heartbeat-codec.js';
import type { Heartbeat } from '../state/heartbeat.js';
import type { KnownHost } from '../state/known-host.js';

// Access to a fleet for `mai fleet`. `mai serve --fleet` may run in another process, or not run.

/** Time in which each running host sends a heartbeat, with a reserve. */
const LISTEN_MS = 2600;
const CONNECTED = { clock: systemClock, deadlineMs: 5000 };
const SPREAD_MS = 10_000;
const DESCRIBE_MS = 1000;
const REFRESH_MS = 1000;
/** Deadline for LM Studio's answer. On the same machine it usually answers much sooner. */
const DEVICES_MS = 3000;
const DEVICES_INTERVAL_MS = 10_000;

/** Uses a connection of this machine to its fleet. @throws FleetError `NOT_PAIRED`, `FLEET_UNREACHABLE`, `FILE_UNUSABLE` */
export async function withFleetConnection<Result>(
  folder: string,
  signal: AbortSignal,
  use: (connection: FleetConnection) => Promise<Result>,
): Promise<Result> {
  await using connection = await connectFleet(connectionOf(await readFleetIdentity(folder)));
  await untilConnected(connection, { ...CONNECTED, signal });
  return await use(connection);
}

export interface WatchFleetOptions {
  readonly signal: AbortSignal;
  /** This machine. Its LM Studio shows the devices of LM Link. */
  readonly facts: OwnFactsPort;
  /** Called where the devices cannot be read. */
  readonly warn: (message: string) => void;
}

/**
 * Watches the fleet from outside `mai serve`: the first view comes once every living host was heard, or at once without a
 * connection. Ends with the signal.
 */
export async function* watchFleet(
  folder: string,
  { signal, facts, warn }: WatchFleetOptions,
): AsyncGenerator<FleetView> {
  const identity = await readFleetIdentity(folder);
  const { host: ownHost, natsServers, allowList } = identity;
  await using connection = await connectFleet(connectionOf(identity));
  await using members = openMembers({ connection, watch: true });
  let ownHeartbeat: Heartbeat | null = null;
  // `Members` ignores messages under its own name. Here these messages come from the `mai serve` of this machine.
  const stop = connection.subscribe(heartbeatSubject(ownHost), ({ data }) => {
    const decoded = decodeHeartbeat(data, ownHost);
    if (decoded.ok) ownHeartbeat = decoded.value;
  });
  const leaving = new AbortController();
  using _ = {
    [Symbol.dispose]: () => {
      stop();
      leaving.abort();
    },
  };
  const following = AbortSignal.any([signal, leaving.signal]);
  const firstDevices = followDevices({ facts, warn, members, signal: following });
  if (await untilConnected(connection, { ...CONNECTED, signal }))
    await pause(systemClock, LISTEN_MS, signal);
  await Promise.race([firstDevices, pause(systemClock, DEVICES_MS, following)]);
  while (!signal.aborted) {
    const own = await describeOwn(connection, ownHeartbeat, signal);
    const epoch = await readServingEpoch(folder);
    yield {
      ownHost,
      natsServers,
      connected: connection.connected,
      granted: [],
      server: connection.server,
      fault: connection.connected ? null : (connection.fault?.message ?? null),
      displaced: own !== null && epoch !== null && own.state.epoch !== epoch,
      hosts: [...(own === null ? [] : [own]), ...members.hosts()],
      paired: allowList.hosts.map(({ host }) => host),
    };
    await pause(systemClock, REFRESH_MS, signal);
  }
}

/** Shows the devices of LM Link among the hosts until the signal fires. Resolves once they were read for the first time. */
async function followDevices({
  facts,
  warn,
  members,
  signal,
}: WatchFleetOptions & { readonly members: Members }): Promise<void> {
  const read = async (): Promise<void> => {
    try {
      const { linkDevices } = await facts.fleetFacts({ signal });
      members.setLinkDevices(linkDevices.map(stateOfDevice));
    } catch (error) {
      if (!signal.aborted) warn(`The devices of LM Link are not shown: ${messageOf(error)}`);
    }
  };
  const goOn = async (): Promise<void> => {
    while (!signal.aborted) {
      await pause(systemClock, DEVICES_INTERVAL_MS, signal);
      if (!signal.aborted) await read();
    }
  };
  await read();
  void goOn();
}

/** Tells the other hosts the list of hosts, after it was changed on the machine with the authority. */
export function spreadAllowList(
  connection: FleetConnection,
  folder: string,
  signal: AbortSignal,
): Promise<ToldAllowList> {
  const deadline = AbortSignal.timeout(SPREAD_MS);
  return tellAllowList(connection, folder, AbortSignal.any([signal, deadline]));
}

/** This machine's own `mai serve --fleet`, as the others see it; null where none runs. */
async function describeOwn(
  connection: FleetConnection,
  heard: Heartbeat | null,
  signal: AbortSignal,
): Promise<KnownHost | null> {
  const { host } = connection;
  try {
    const decoded = await askState(connection, host, { timeoutMs: DESCRIBE_MS, signal });
    if (!decoded.ok) return null;
    const state = decoded.value;
    // A heartbeat of an earlier start is out of date.
    const heartbeat = heard?.epoch === state.epoch ? heard : null;
    return { state, heartbeat, silentMs: 0, usable: heartbeat?.ready !== false, kind: 'mai' };
  } catch (error) {
    if (isFleetError(error)) return null;
    throw error;
  }
}
