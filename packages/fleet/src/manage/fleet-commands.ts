import { hostname } from 'node:os';
import { placementLogOf } from '../create-fleet.js';
import { messageOf } from '../error-facts.js';
import { FleetError } from '../fleet-error.js';
import { explainPlaced } from '../journal/explain-placed.js';
import { readPlacements } from '../journal/placement-log.js';
import { ownAddress } from '../own/own-address.js';
import { announceAllowList, type ToldAllowList } from '../pairing/hosts/tell-allow-list.js';
import { changeAddress, checkChangeAddress } from '../pairing/hosts/change-address.js';
import { hostsLeftBehind, leaveDamagedFleet, leaveFleet } from '../pairing/hosts/leave-fleet.js';
import { readRegistry } from '../pairing/hosts/registry.js';
import { checkRemovable, removeHost } from '../pairing/hosts/remove-host.js';
import { rotateKeys } from '../pairing/hosts/rotate-keys.js';
import { readFleetIdentity } from '../pairing/identity.js';
import { checkInit, initFleet } from '../pairing/init-fleet.js';
import { invite } from '../pairing/invitation/invite.js';
import { checkJoin, join } from '../pairing/invitation/join.js';
import type { InvitationEnd } from '../pairing/invitation/open-invitation.js';
import { toHostName } from '../pairing/names.js';
import { describeLeft } from '../text/describe-left.js';
import { spreadAllowList, withFleetConnection } from './inspect-fleet.js';

/** The arguments of a command of `mai fleet`. Null: not given. */
export interface FleetCommandOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Checks and changes nothing. */
  readonly dryRun: boolean;
  /** The argument of the command: an invitation, a host, or a placement. */
  readonly argument: string | null;
  readonly host: string | null;
  readonly address: string | null;
  readonly natsPort: number | null;
  readonly joinPort: number | null;
  /** Port of nats-server for the other servers of a cluster. */
  readonly routePort: number | null;
  /** Addresses of the nats-servers of a cluster. */
  readonly cluster: readonly string[] | null;
  /** Address of the nats-server that the invited machine runs. */
  readonly server: string | null;
  readonly endFleet: boolean;
  /** Shows a first result before the command ends with another one. */
  readonly show: (result: FleetResult) => void;
}

/** A result: for programs, and for people in plain text. */
export interface FleetResult {
  readonly json: object;
  readonly text: string;
}

/** Names of the commands that `runFleetCommand` takes. */
export type FleetCommandName =
  'init' | 'invite' | 'join' | 'explain' | 'remove' | 'leave' | 'rotate' | 'address';

/**
 * Runs a command of `mai fleet`.
 *
 * @throws FleetError; `INVALID_REQUEST` for a name, an address or a port that cannot be used
 */
export async function runFleetCommand(
  name: FleetCommandName,
  options: FleetCommandOptions,
): Promise<FleetResult> {
  try {
    return await COMMANDS[name](options);
  } catch (error) {
    if (error instanceof RangeError) throw invalid(error.message, error);
    throw error;
  }
}

/** Says which hosts and servers have not confirmed a change of the list of hosts. */
function missingOf({ told, serversWithout }: ToldAllowList): string {
  const bucket = told
    ? ''
    : ' NATS does not answer, so the other hosts hear of it once `mai serve --fleet` runs here.';
  const servers =
    serversWithout.length === 0
      ? ''
      : ` The nats-server of ${serversWithout.join(' and ')} has not confirmed it. It takes the change once \`mai serve --fleet\` runs there.`;
  return bucket + servers;
}

const COMMANDS: Readonly<
  Record<FleetCommandName, (options: FleetCommandOptions) => Promise<FleetResult>>
> = {
  init: async (options) => {
    const { folder, signal, natsPort, routePort, joinPort, cluster, dryRun } = options;
    const host = nameOf(options);
    const address = options.address ?? (await ownAddress());
    if (address === null) {
      throw invalid('This machine has no address in a network. Give one with --address.');
    }
    const wanted = {
      folder,
      host,
      address,
      signal,
      ...(natsPort === null ? {} : { natsPort }),
      ...(routePort === null ? {} : { routePort }),
      ...(joinPort === null ? {} : { joinPort }),
      ...(cluster === null ? {} : { cluster }),
    };
    if (dryRun) {
      await checkInit(wanted);
      return {
        json: { dryRun, host, address },
        text: `Would make a fleet as ${host}, at ${address}.`,
      };
    }
    const made = await initFleet(wanted);
    const servers = made.freeServers.map(
      (one) => `\nAdd the nats-server at ${one} with \`mai fleet invite --server ${one}\`.`,
    );
    return {
      json: { dryRun, address, ...made },
      text: `Made a fleet. This machine is ${host}, and nats-server runs at ${made.natsUrl}.\nStart \`mai serve --fleet\`, and add a machine with \`mai fleet invite\`.${servers.join('')}`,
    };
  },

  invite: async ({ folder, signal, host, server, show }) => {
    await using opened = await invite({
      folder,
      ...(host === null ? {} : { host }),
      ...(server === null ? {} : { server }),
    });
    show({
      json: { type: 'invitation', invitation: opened.text },
      text: `${opened.text}\n${opened.qrCode}\nRun \`mai fleet join\` with this text on the new machine within ten minutes.`,
    });
    const interrupted = new Promise<null>((resolve) => {
      signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    const end = await Promise.race([opened.ended, interrupted]);
    signal.throwIfAborted();
    if (end?.kind !== 'joined') {
      const why = end === null || end.kind === 'withdrawn' ? 'it was withdrawn' : whyEnded(end);
      throw new FleetError(
        'INVITATION_REFUSED',
        `Nobody has joined by the invitation: ${why}. Make another one with \`mai fleet invite\`.`,
        { cause: end },
      );
    }
    const told = await withFleetConnection(folder, signal, (connection) =>
      spreadAllowList(connection, folder, signal),
    );
    return {
      json: { type: 'joined', host: end.host, ...told },
      text: `${end.host} has joined.${missingOf(told)}`,
    };
  },

  join: async (options) => {
    const { folder, signal, argument, dryRun } = options;
    const host = nameOf(options);
    const wanted = { folder, invitation: argument ?? '', host, signal };
    if (dryRun) {
      await checkJoin(wanted);
      return { json: { dryRun, host }, text: `Would join the fleet as ${host}.` };
    }
    const joined = await join(wanted);
    const { ownServer } = joined;
    const server =
      ownServer === null
        ? ''
        : ownServer.fault === null
          ? ' It runs one of its nats-servers.'
          : `\nThe nats-server of this machine was not started: ${ownServer.fault}\n`;
    return {
      json: { dryRun, ...joined },
      text: `This machine has joined the fleet as ${joined.host}.${server} Start \`mai serve --fleet\`.`,
    };
  },

  explain: async ({ folder, argument }) => {
    const [placed] = await readPlacements(placementLogOf(folder), { id: argument });
    if (placed === undefined) {
      const which = argument === null ? 'yet' : `with the identifier ${argument}`;
      return {
        json: { placed: null, text: [] },
        text: `No request was placed ${which}. \`mai serve --fleet\` writes the log.`,
      };
    }
    const text = explainPlaced(placed);
    return { json: { placed, text: text.split('\n') }, text };
  },

  remove: async ({ folder, signal, argument, dryRun }) => {
    const host = argument ?? '';
    if (dryRun) {
      checkRemovable(await readRegistry(folder), host);
      return { json: { dryRun, removed: host }, text: `Would remove ${host}.` };
    }
    const told = await withFleetConnection(folder, signal, async (connection) => {
      const announce = (): Promise<void> =>
        announceAllowList(connection, folder, { removed: host, signal });
      await removeHost({ folder, host, announce });
      return spreadAllowList(connection, folder, signal);
    });
    return {
      json: { dryRun, removed: host, ...told },
      text: `Removed ${host}.${missingOf(told)}`,
    };
  },

  leave: async ({ folder, signal, dryRun, endFleet }) => {
    const damaged = await leaveDamagedFleet({ folder, endFleet, dryRun, signal });
    if (dryRun) {
      const hosts = damaged === null ? await hostsLeftBehind(folder) : [];
      if (hosts.length > 0 && !endFleet) throw hasHosts(hosts);
      return { json: { dryRun }, text: 'Would leave the fleet.' };
    }
    const outcome =
      damaged ??
      (await withFleetConnection(folder, signal, (connection) =>
        leaveFleet({ folder, connection, endFleet, signal }),
      ));
    if (outcome.kind === 'has-hosts') throw hasHosts(outcome.hosts);
    return { json: { dryRun, ...outcome }, text: describeLeft(outcome) };
  },

  address: async ({ folder, signal, argument, dryRun }) => {
    const address = argument ?? '';
    const wanted = { folder, address, signal };
    if (dryRun) {
      await checkChangeAddress(wanted);
      return { json: { dryRun, address }, text: `Would use ${address} from now on.` };
    }
    const { host, authority } = await changeAddress(wanted);
    if (host !== authority)
      return { json: { dryRun, address }, text: `This machine finds ${authority} at ${address}.` };
    const told = await withFleetConnection(folder, signal, (connection) =>
      spreadAllowList(connection, folder, signal),
    );
    return {
      json: { dryRun, address, ...told },
      text: `The other machines find this one at ${address}.${missingOf(told)}\nRun \`mai fleet address ${address}\` on each machine that was not connected.`,
    };
  },

  rotate: async ({ folder, signal, dryRun }) => {
    if (dryRun) await readFleetIdentity(folder);
    else {
      await withFleetConnection(folder, signal, (connection) =>
        rotateKeys({ folder, connection, signal }),
      );
    }
    return {
      json: { dryRun },
      text: `${dryRun ? 'Would replace' : 'Replaced'} the key of this machine.`,
    };
  },
};

function whyEnded(end: Exclude<InvitationEnd, { readonly kind: 'joined' | 'withdrawn' }>): string {
  if (end.kind === 'expired') return 'its ten minutes are over';
  if (end.kind === 'too-many-tries')
    return 'it ended after five tries with a wrong secret. Somebody else may have tried';
  return `this machine could not admit the other one. ${messageOf(end.error)}`;
}

function hasHosts(hosts: readonly string[]): FleetError {
  return invalid(
    `This machine made the fleet, and ${hosts.join(', ')} belong to it. Give --end-fleet to end it for all.`,
  );
}

function nameOf({ host }: FleetCommandOptions): string {
  const name = host ?? toHostName(hostname());
  if (name !== null) return name;
  throw invalid('The name of this machine has no letter or digit. Give one with --host.');
}

function invalid(message: string, cause?: unknown): FleetError {
  return new FleetError('INVALID_REQUEST', message, { cause });
}
