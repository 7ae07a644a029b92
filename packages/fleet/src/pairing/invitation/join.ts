import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

import { z } from 'zod/mini';

import { messageOf } from '../../error-facts.js';
import { FleetError } from '../../fleet-error.js';
import { natsUrls, readAllowList } from '../allow-list.js';
import {
  JOIN_SERVER_NAME,
  NATS_SERVER_NAME,
  certificateFingerprint,
  isIssuedFor,
} from '../../certificates/issue.js';
import { fleetPaths, requireNoMembership, writeMembership } from '../files/fleet-folder.js';
import { makePrivateFolder, writePrivateFile } from '../files/private-file.js';
import { startServer, type StartedServer } from '../nats-server/start-server.js';
import { pemOf } from '../identity.js';
import { anyAddress, checkHostName, hostAndPort } from '../names.js';
import {
  createSigningRequest,
  generateKeyPair,
  type KeyPair,
} from '../../certificates/x509-door.js';
import { anotherMachine, isClockFault, wrongClock } from './join-refusals.js';
import { parseInvitation, type Invitation } from './invitation.js';
import {
  JOIN_PATH,
  LARGEST_ANSWER_BYTES,
  isProof,
  joinAnswerSchema,
  proofOf,
  sessionBinding,
} from './join-protocol.js';
import { admissionSchema, type Admission } from '../hosts/admission.js';
import type { JoinRequest } from './join-protocol.js';

/** The inviting machine signs, writes files and reloads nats-server before it answers. */
const ANSWER_DEADLINE_MS = 60_000;
const CONNECT_DEADLINE_MS = 15_000;

export interface JoinOptions {
  /** Folder for the fleet's files. It is made with mode 0700. */
  readonly folder: string;
  /** Text of the invitation. */
  readonly invitation: string;
  /** Name that this host wants in the fleet. */
  readonly host: string;
  /**
   * Where the invitation is for a host with a nats-server: address of the network interface on which nats-server listens.
   * Default: all network interfaces.
   */
  readonly listenAddress?: string;
  /** Where the invitation is for a host with a nats-server: path of nats-server. Default: the one that is installed. */
  readonly natsServer?: string;
  /** Where the invitation is for a host with a nats-server: whether to start it. Default true. */
  readonly start?: boolean;
  readonly signal?: AbortSignal;
}

export interface JoinedFleet {
  readonly host: string;
  /** Name of the host that holds the fleet's authority. */
  readonly authority: string;
  readonly natsServers: readonly string[];
  /** The nats-server that this host runs for the fleet from now on; null where it runs none. */
  readonly ownServer: StartedServer | null;
}

/** Checks what `join` needs on this machine, and throws as it does. Changes nothing and asks no other machine. */
export async function checkJoin({ folder, host, invitation }: JoinOptions): Promise<Invitation> {
  checkHostName(host);
  const parsed = parseInvitation(invitation);
  await requireNoMembership(folder);
  return parsed;
}

/**
 * Joins a fleet by an invitation. This machine makes its own key, and only a signing request leaves it. Before anything is
 * sent, the machine at the other end shows the certificate of the authority that the invitation names, and a certificate for
 * joining that this authority signed.
 *
 * Throws `INVITATION_REFUSED` where the invitation cannot be read, is wrong, used or too old, or where another machine
 * answers at its address; `FLEET_UNREACHABLE` where none answers; `FILE_UNUSABLE` where this machine belongs to a fleet
 * already; and a `RangeError` for an invalid host name.
 */
export async function join(options: JoinOptions): Promise<JoinedFleet> {
  const { folder, host, signal } = options;
  const invitation = await checkJoin(options);
  const authorityCertificate = await pinnedAuthority(invitation, signal);
  const keys = await generateKeyPair();
  const admission = await askForAdmission(invitation, authorityCertificate, host, keys, signal);
  const { natsCertificate } = admission;
  const list = readAllowList(admission.allowList, authorityCertificate);
  const sound =
    admission.host === host &&
    isIssuedFor(admission.certificate, authorityCertificate, host, keys) &&
    (natsCertificate === null ||
      isIssuedFor(natsCertificate, authorityCertificate, NATS_SERVER_NAME, keys));
  if (!sound || list === null) {
    throw new FleetError(
      'INVITATION_REFUSED',
      'The answer of the inviting machine contradicts itself, so nothing was kept. Use the same version of Mai on both machines.',
    );
  }

  const paths = fleetPaths(folder);
  const { authority } = admission;
  await makePrivateFolder(folder);
  await writePrivateFile(paths.authorityCertificate, authorityCertificate);
  await writePrivateFile(paths.hostIdentity, pemOf(keys, admission.certificate));
  await writePrivateFile(paths.allowList, admission.allowList);
  const place = list.servers.find((one) => one.host === host);
  const ownServer =
    place === undefined || natsCertificate === null
      ? null
      : {
          listenAddress: options.listenAddress ?? anyAddress(),
          executable: options.natsServer ?? null,
        };
  if (natsCertificate !== null) {
    await makePrivateFolder(paths.natsFolder);
    await writePrivateFile(paths.natsIdentity, pemOf(keys, natsCertificate));
  }
  await writePrivateFile(paths.membership, writeMembership({ host, authority, ownServer }));
  const started = ownServer === null ? null : await startServer(folder, options);
  return { host, authority, natsServers: natsUrls(list), ownServer: started };
}

/**
 * The authority's certificate from the TLS handshake, where its fingerprint is the invitation's. Nothing is sent on this
 * connection.
 */
async function pinnedAuthority(
  invitation: Invitation,
  signal: AbortSignal | undefined,
): Promise<string> {
  // The certificate is compared with the invitation below instead of being checked by OpenSSL.
  const socket = await connectTls(invitation, { rejectUnauthorized: false }, signal);
  try {
    const own = socket.getPeerX509Certificate();
    for (let one = own; one !== undefined; one = one.issuerCertificate) {
      const pem = one.toString();
      if (certificateFingerprint(pem) === invitation.authorityFingerprint) return pem;
    }
  } finally {
    socket.destroy();
  }
  throw anotherMachine(invitation);
}

async function askForAdmission(
  invitation: Invitation,
  authorityCertificate: string,
  host: string,
  keys: KeyPair,
  signal: AbortSignal | undefined,
): Promise<Admission> {
  const socket = await connectTls(
    invitation,
    { ca: authorityCertificate, rejectUnauthorized: true },
    signal,
  );
  try {
    const binding = sessionBinding(socket);
    const signingRequest = await createSigningRequest(keys, host);
    const request: JoinRequest = {
      version: 1,
      host,
      signingRequest,
      proof: proofOf('joiner', invitation.secret, binding, [host, signingRequest]),
    };
    const answer = parse(joinAnswerSchema, await post(socket, JSON.stringify(request), signal));
    if (answer.kind === 'refused') {
      throw new FleetError(
        'INVITATION_REFUSED',
        `The fleet refused this machine. ${answer.reason}`,
      );
    }
    const expected = proofOf('server', invitation.secret, binding, [answer.admission]);
    if (!isProof(answer.proof, expected)) throw anotherMachine(invitation);
    return parse(admissionSchema, answer.admission);
  } finally {
    socket.destroy();
  }
}

async function connectTls(
  invitation: Invitation,
  trust: Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized'>,
  signal: AbortSignal | undefined,
): Promise<TLSSocket> {
  const { address, port } = invitation;
  const socket = connect({
    ...trust,
    host: address,
    port,
    servername: JOIN_SERVER_NAME,
    minVersion: 'TLSv1.3',
    ...(isIP(address) === 0 ? {} : { family: isIP(address) }),
  });
  try {
    await once(socket, 'secureConnect', { signal: withDeadline(CONNECT_DEADLINE_MS, signal) });
    return socket;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    // Null as long as the certificate was not refused, whatever the type says.
    const { authorizationError }: { readonly authorizationError: Error | null } = socket;
    if (trust.rejectUnauthorized === true && authorizationError !== null) {
      throw isClockFault(error) ? wrongClock(invitation, error) : anotherMachine(invitation);
    }
    throw new FleetError(
      'FLEET_UNREACHABLE',
      `No invitation is open at ${hostAndPort(address, port)}: ${messageOf(error)}. ` +
        'Is `mai fleet invite` still running there, and does its firewall let this port through?',
      { cause: error },
    );
  }
}

function post(socket: TLSSocket, body: string, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      if (signal?.aborted === true) {
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
        return;
      }
      const message = `The inviting machine broke off before its answer was complete: ${messageOf(error)}.`;
      reject(new FleetError('FLEET_UNREACHABLE', message, { cause: error }));
    };
    const request = httpRequest(
      {
        createConnection: () => socket,
        method: 'POST',
        path: JOIN_PATH,
        headers: {
          host: JOIN_SERVER_NAME,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        signal: withDeadline(ANSWER_DEADLINE_MS, signal),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > LARGEST_ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
          chunks.push(chunk);
        });
        response.on('end', () => {
          resolve(Buffer.concat(chunks).toString('utf8'));
        });
        response.on('error', fail);
      },
    );
    request.on('error', fail);
    request.end(body);
  });
}

function parse<T extends z.core.$ZodType>(schema: T, text: string): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  throw new FleetError(
    'INVITATION_REFUSED',
    'The inviting machine answers in another way than this version of Mai expects. Use the same version on both machines.',
    { cause: result.error },
  );
}

function withDeadline(deadlineMs: number, signal: AbortSignal | undefined): AbortSignal {
  const deadline = AbortSignal.timeout(deadlineMs);
  return signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
}
