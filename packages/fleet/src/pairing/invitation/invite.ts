import { randomBytes } from 'node:crypto';

import { renderUnicodeCompact } from 'uqr';

import { certificateFingerprint, issueJoinCertificate } from '../../certificates/issue.js';
import { readAuthority } from '../files/fleet-folder.js';
import { readRegistry } from '../hosts/registry.js';
import type { Registry } from '../hosts/registry.js';
import { checkHostName, describeTaken } from '../names.js';
import { SECRET_BYTES, formatInvitation } from './invitation.js';
import { listenForJoiner } from './join-server.js';
import { INVITATION_LIFE_MS, OpenInvitation } from './open-invitation.js';
import type { InvitationEnd } from './open-invitation.js';

export interface InviteOptions {
  /** Folder of the fleet's files. */
  readonly folder: string;
  /** Name that the new host gets. Default: the name that it asks for, where no other host has it. */
  readonly host?: string;
  /** Address of a nats-server of a cluster that the new host runs from now on. Default: it runs none. */
  readonly server?: string;
  /** Life of the invitation in milliseconds. Default and maximum: ten minutes. */
  readonly lifeMs?: number;
}

/** An invitation that waits for its joiner. Disposing it withdraws the invitation. */
export interface OpenedInvitation extends AsyncDisposable {
  /** One line to copy to the new machine. */
  readonly text: string;
  /** The same as a QR code of block characters, for a terminal with a dark background. */
  readonly qrCode: string;
  /** How the invitation ended. */
  readonly ended: Promise<InvitationEnd>;
}

/**
 * Invites one host, on the machine that holds the fleet's authority. The machine listens for the joiner until the invitation
 * ends: by its use, after ten minutes, by five wrong tries, or when it is withdrawn. No port is open at other times.
 *
 * Throws `NOT_PAIRED` on a machine without the authority and `ADDRESS_IN_USE` where the port is taken, also by another open
 * invitation. Throws a `RangeError` for a host name that is invalid or taken, and where no place for a nats-server is free at `server`.
 */
export async function invite(options: InviteOptions): Promise<OpenedInvitation> {
  const { folder, host = null, server: serverAddress = null } = options;
  if (host !== null) checkHostName(host);
  const registry = await readRegistry(folder);
  if (registry.hosts.some((one) => one.host === host))
    throw new RangeError(describeTaken(host ?? ''));
  if (serverAddress !== null) checkPlace(registry, serverAddress);
  const authority = await readAuthority(folder);
  const secret = randomBytes(SECRET_BYTES);
  const invitation = new OpenInvitation(secret, {
    lifeMs: Math.min(options.lifeMs ?? INVITATION_LIFE_MS, INVITATION_LIFE_MS),
  });
  const server = await listenForJoiner({
    folder,
    invitation,
    assignedHost: host,
    serverAddress,
    listenAddress: registry.listenAddress,
    port: registry.joinPort,
    certified: await issueJoinCertificate(authority, new Date()),
    authorityCertificate: authority.certificate,
  });
  const text = formatInvitation({
    address: registry.address,
    port: registry.joinPort,
    secret,
    authorityFingerprint: certificateFingerprint(authority.certificate),
  });
  return {
    text,
    qrCode: renderUnicodeCompact(text),
    ended: invitation.ended,
    [Symbol.asyncDispose]: async () => {
      invitation.end({ kind: 'withdrawn' });
      await server.closed;
    },
  };
}

function checkPlace({ servers }: Registry, address: string): void {
  const place = servers.find((one) => one.address === address);
  if (place !== undefined && place.host === null) return;
  const free = servers.filter(({ host }) => host === null).map((one) => one.address);
  throw new RangeError(
    `${place === undefined ? `The fleet has no nats-server at ${address}` : `The nats-server at ${address} belongs to ${place.host}`}. ` +
      (free.length === 0
        ? 'Every nats-server has its host.'
        : `Without a host: ${free.join(', ')}.`),
  );
}
