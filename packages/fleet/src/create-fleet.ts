import path from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { systemClock } from './clock.js';
import { codeOf, messageOf } from './error-facts.js';
import type { CreateFleetOptions, Fleet } from './fleet.js';
import type { FleetView } from './fleet-view.js';
import { followFacts } from './own/follow-facts.js';
import { openPlacementLog, readPlacements, RECENT_MAX } from './journal/placement-log.js';
import { askLeases } from './leases/ask-leases.js';
import { serveLeases } from './leases/serve-leases.js';
import { askStatesAt } from './membership/ask-state.js';
import { leaveIsolatedServers } from './membership/isolation.js';
import { openMembers } from './membership/members.js';
import { reportConnection } from './membership/report-connection.js';
import { createRefusedReport } from './membership/report-refused.js';
import { connectFleet } from './nats/connection.js';
import { createOwnTeller } from './own/tell-own.js';
import { allowedHost, isOn } from './pairing/allow-list.js';
import { peerConnectOptions } from './pairing/hosts/peer-tls.js';
import { followFleet } from './pairing/hosts/follow-fleet.js';
import { rotateInTime } from './pairing/hosts/rotate-keys.js';
import { serveAuthority } from './pairing/hosts/serve-authority.js';
import { connectionOf, readFleetIdentity, type FleetIdentity } from './pairing/identity.js';
import { createFleetServing } from './serving/fleet-serving.js';
import { createGrantPort } from './serving/grant-port.js';
import { writeServing } from './pairing/files/serving.js';
import { reportFleet } from './text/report-fleet.js';

/** File of the placements in the folder of a fleet. */
export function placementLogOf(folder: string): string {
  return path.join(folder, 'placements.jsonl');
}

/**
 * Joins the fleet. Without NATS this machine goes on alone, and joins once NATS answers.
 *
 * @throws FleetError `NOT_PAIRED`, `FILE_UNUSABLE`
 */
export async function createFleet(options: CreateFleetOptions): Promise<Fleet> {
  const { folder, local, facts: port, clock = systemClock, warn = () => undefined } = options;
  const first = await readFleetIdentity(folder);
  const ownHost = first.host;
  const placedBefore = await readPlacements(placementLogOf(folder), { count: RECENT_MAX });
  const isAuthority = first.authority === ownHost;
  const closing = new AbortController();
  const connection = await connectFleet({ ...connectionOf(first), clock });
  const listeners = new Set<() => void>();
  let isMember = isOn(first.allowList, ownHost);
  const followed = await followFleet({
    connection,
    folder,
    onChange: (changed) => {
      const isRemoved = !isOn(changed.allowList, ownHost);
      if (isRemoved && isMember) {
        warn(
          'This machine was removed from its fleet, so it serves alone. To join again, run `mai fleet leave` first.',
        );
      }
      isMember = !isRemoved;
      secureContext = secureContextOf(changed);
      for (const listener of listeners) listener();
    },
    onFault: (error) => {
      const hasLeft = codeOf(error) === 'NOT_PAIRED';
      if (hasLeft) isMember = false;
      warn(
        hasLeft
          ? 'This machine is no longer in its fleet. It now serves alone.'
          : `The fleet's files cannot be used: ${messageOf(error)}`,
      );
    },
  });
  let secureContext = secureContextOf(followed.identity);
  const authority = isAuthority
    ? serveAuthority({
        connection,
        folder,
        onFault: (error) => warn(`A host's request to the authority failed: ${messageOf(error)}`),
      })
    : null;
  let displaced: string | null = null;
  const members = openMembers({
    connection,
    watch: true,
    clock,
    // Each server of a cluster keeps a copy of the states.
    replicas: first.allowList.servers.length,
    onDisplaced: () => {
      displaced = `Another machine serves as ${ownHost} with a copy of this machine's keys, so this one serves no other host any more. Where the other is the copy: run \`mai fleet rotate\` here, which locks it out, and start Mai here again. Otherwise delete ${folder} here, and join with another name.`;
      warn(displaced);
      void leases[Symbol.asyncDispose]();
    },
    onRefused: createRefusedReport(clock, warn),
  });
  await writeServing(folder, members.epoch).catch((error: unknown) =>
    warn(
      `The number of this start cannot be saved, so \`mai fleet status\` cannot show whether another machine serves under this name: ${messageOf(error)}`,
    ),
  );
  const own = createOwnTeller({
    members,
    ownHost,
    version: options.version,
    servers: () => followed.identity.allowList.servers.map(({ address }) => address),
    clock,
    signal: closing.signal,
  });

  const asker = askLeases(connection, {
    clock,
    onAnswer: (host, epoch) => members.noteAnswer(host, epoch),
  });
  const leases = serveLeases(
    connection,
    createGrantPort(
      local,
      () => own.guestLimits(),
      (modelKey) => own.loadMsOf(modelKey),
    ),
    {
      epoch: members.epoch,
      clock,
    },
  );
  const journal = openPlacementLog(
    placementLogOf(folder),
    (error) => warn(`The log of placements cannot be written: ${messageOf(error)}.`),
    placedBefore,
  );
  const serving = createFleetServing({
    local,
    ownHost,
    hosts: () => members.hosts(),
    hostChanges: (signal) => members.changes(signal),
    asker,
    policy: () => own.policy(),
    tlsOf: (host) => {
      const { checkServerIdentity } = peerConnectOptions(
        followed.identity,
        host,
        () => followed.identity.allowList,
      );
      return {
        secureContext,
        serverName: host,
        checkServer: (certificate) => checkServerIdentity(host, certificate),
      };
    },
    journal,
    clock,
  });

  const following = followFacts({
    local,
    port,
    clock,
    warn,
    signal: closing.signal,
    onFacts: (read) => own.note(read),
  });

  const rotating = rotateInTime({
    folder,
    connection,
    identity: () => followed.identity,
    clock,
    signal: closing.signal,
    onFault: (error) => warn(`The key of this machine was not renewed: ${messageOf(error)}`),
  });

  const moving = leaveIsolatedServers({
    connection,
    clock,
    ownHost,
    signal: closing.signal,
    hosts: () => members.hosts(),
    servers: () => followed.identity.natsServers,
    ask: (server, hosts) =>
      askStatesAt(server, hosts, {
        ...connectionOf(followed.identity),
        clock,
        signal: closing.signal,
      }),
    onAnswer: (state) => members.noteDescribed(state),
  });

  const reporting = reportConnection({
    connection,
    clock,
    signal: closing.signal,
    warn: (message) => {
      if (isMember) warn(message);
    },
  });

  const view = (): FleetView => ({
    ownHost,
    natsServers: followed.identity.natsServers,
    connected: connection.connected,
    server: connection.server,
    fault: displaced ?? (connection.connected ? null : (connection.fault?.message ?? null)),
    displaced: displaced !== null,
    hosts: members.hosts(),
    paired: followed.identity.allowList.hosts.map(({ host }) => host),
    granted: leases.list(),
  });

  return {
    serving,
    peers: {
      hostOf: (fingerprint) => allowedHost(followed.identity.allowList, fingerprint),
      residentOf: (lease, host) => leases.residentOf(lease, host)?.instanceIdentifier ?? null,
      endOf: (lease) => leases.endOf(lease),
      began: (lease) => leases.began(lease),
    },
    get tls() {
      const { certificate, privateKey, authorityCertificate } = followed.identity;
      return { cert: certificate, key: privateKey, clientCa: authorityCertificate };
    },
    onIdentityChange: (listener) => {
      listeners.add(listener);
    },
    announce: (gateway, load) => own.announce(gateway, load),
    drain: () => {
      own.drain();
      leases.drain();
    },
    view,
    report: () => reportFleet(view(), journal.recent()),
    ready: ({ deadlineMs }) => connection.roundTrip({ deadlineMs, signal: null }),
    [Symbol.asyncDispose]: async () => {
      closing.abort(new DOMException('The fleet was left.', 'AbortError'));
      await asker[Symbol.asyncDispose]();
      await leases[Symbol.asyncDispose]();
      await members[Symbol.asyncDispose]();
      await Promise.all([following, own.ended(), rotating, moving, reporting]);
      await authority?.[Symbol.asyncDispose]();
      await followed[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
    },
  };
}

function secureContextOf(identity: FleetIdentity): SecureContext {
  return createSecureContext({
    ca: identity.authorityCertificate,
    cert: identity.certificate,
    key: identity.privateKey,
    minVersion: 'TLSv1.3',
  });
}
