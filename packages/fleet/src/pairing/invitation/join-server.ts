import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';

import { z } from 'zod/mini';

import { FleetError } from '../../fleet-error.js';
import { parseJson } from '../../parse-json.js';
import { RequestRefused, admitHost } from '../hosts/admit-host.js';
import { hostAndPort } from '../names.js';
import type { Certified } from '../../certificates/x509-door.js';
import {
  JOIN_PATH,
  LARGEST_REQUEST_BYTES,
  joinRequestSchema,
  proofOf,
  sessionBinding,
} from './join-protocol.js';
import type { JoinAnswer } from './join-protocol.js';
import type { OpenInvitation } from './open-invitation.js';
import { endSlowConnections, type SlowConnections } from './slow-connections.js';

/** For the handshake and the request. A joiner sends its request in one piece. */
const REQUEST_DEADLINE_MS = 10_000;
const MAX_CONNECTIONS = 32;
/** How long connections go on after the invitation has ended, so that the last answer arrives. */
const LAST_ANSWER_MS = 2_000;
const EXPIRY_POLL_MS = 1_000;

/** Every machine that does not prove the secret gets this answer, so that it learns no reason. */
const REFUSED: JoinAnswer = {
  kind: 'refused',
  reason:
    'The invitation is wrong, used or too old. Make a new one with `mai fleet invite` and copy all of it.',
};

export interface JoinServerOptions {
  readonly folder: string;
  readonly invitation: OpenInvitation;
  /** The only name that the joiner gets; null lets it choose a free one. */
  readonly assignedHost: string | null;
  /** Address of the nats-server that the joiner runs; null: none. */
  readonly serverAddress: string | null;
  readonly listenAddress: string;
  readonly port: number;
  readonly certified: Certified;
  readonly authorityCertificate: string;
}

/** Listens for the joiner of one invitation, and closes when the invitation ends. */
export async function listenForJoiner(
  options: JoinServerOptions,
): Promise<{ readonly closed: Promise<void> }> {
  const { invitation, certified, authorityCertificate } = options;
  const server = createServer(
    {
      cert: certified.certificate + '\n' + authorityCertificate,
      key: certified.privateKey,
      minVersion: 'TLSv1.3',
      // `endSlowConnections` has its own deadline.
      requestTimeout: 0,
      headersTimeout: 0,
    },
    (request, response) => void answer(request, response, options, slow),
  );
  const slow = endSlowConnections(server, REQUEST_DEADLINE_MS);
  server.maxConnections = MAX_CONNECTIONS;
  // A failed handshake of a stranger is not a fault of this machine.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.listen(options.port, options.listenAddress);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new FleetError(
      'ADDRESS_IN_USE',
      `Mai cannot listen on ${hostAndPort(options.listenAddress, options.port)}: ${String(error)}. Is another invitation open?`,
      { cause: error },
    );
  }
  // `isOpen` notices that the invitation has expired.
  const expiry = setInterval(() => invitation.isOpen, EXPIRY_POLL_MS);
  const closed = invitation.ended.then(async () => {
    clearInterval(expiry);
    const end = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    const forced = setTimeout(() => {
      server.closeAllConnections();
    }, LAST_ANSWER_MS);
    await end;
    clearTimeout(forced);
  });
  return { closed };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: JoinServerOptions,
  slow: SlowConnections,
): Promise<void> {
  // Each connection carries one request.
  response.setHeader('connection', 'close');
  if (request.method !== 'POST' || request.url !== JOIN_PATH) {
    response.writeHead(404).end();
    return;
  }
  const text = await readBody(request);
  slow.received(request.socket);
  if (text === null) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(await admit(text, request, options));
  response
    .writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    })
    .end(body);
}

async function admit(
  text: string,
  { socket }: IncomingMessage,
  options: JoinServerOptions,
): Promise<JoinAnswer> {
  const { invitation, folder, assignedHost, serverAddress } = options;
  if (!(socket instanceof TLSSocket)) return REFUSED;
  const binding = sessionBinding(socket);
  const given = z.safeParse(joinRequestSchema, parseJson(text));
  const { host, signingRequest, proof } = given.success
    ? given.data
    : { host: '', signingRequest: '', proof: '' };
  const expected = proofOf('joiner', invitation.secret, binding, [host, signingRequest]);
  if (!invitation.prove(proof, expected)) return REFUSED;
  try {
    if (assignedHost !== null && host !== assignedHost) {
      throw new RequestRefused(
        `This invitation is for the host ${assignedHost}. Join with --host ${assignedHost}.`,
      );
    }
    const admission = await invitation.use(host, async () =>
      JSON.stringify(await admitHost(folder, host, signingRequest, serverAddress)),
    );
    return {
      kind: 'admitted',
      admission,
      proof: proofOf('server', invitation.secret, binding, [admission]),
    };
  } catch (error) {
    if (error instanceof RequestRefused) return { kind: 'refused', reason: error.message };
    invitation.end({ kind: 'failed', error });
    return {
      kind: 'refused',
      reason: 'The inviting machine could not admit this one. Its `mai fleet invite` says why.',
    };
  }
}

/** The text of a request; null where it is too long or where the other side broke the connection off. */
function readBody(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGEST_REQUEST_BYTES) {
        request.pause();
        resolve(null);
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    request.on('error', () => {
      resolve(null);
    });
    request.on('close', () => {
      resolve(null);
    });
  });
}
