import {
  createServer as createHttpServer,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { asSentence } from '../as-sentence.js';
import { GatewayError } from '../gateway-error.js';
import { boundHandshakes } from './bound-handshakes.js';
import { createConnectionEnd } from './end-connections.js';
import { answerBrokenRequests, refuseManyHeaders } from './own-answers/broken-requests.js';
import { inviteBodiesWhenRead } from './request/invite-bodies.js';
import { afterReading } from './request/late-requests.js';

/** Where the gateway listens. */
export interface ListenOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Port; 0 takes a free one. Default 11435. */
  readonly port?: number | undefined;
  /** Default: without TLS. */
  readonly tls?: TlsFiles | undefined;
  /** Decides about the connection of a client with a certificate. Null: no client is asked for a certificate. Default null. */
  readonly isAdmitted?: ((socket: Socket) => boolean) | null | undefined;
  /** Maximum open connections. Default 4096. */
  readonly maxConnections?: number | undefined;
  /** How long a client may take to send its headers, in milliseconds. Default 15,000. */
  readonly headersTimeoutMs?: number | undefined;
  /** How long a client may take to send a request with its body, in milliseconds. Default 120,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long an idle connection stays open for the next request, in milliseconds. Default 65,000. */
  readonly keepAliveMs?: number | undefined;
}

/** The texts of a server's certificates, in PEM. */
export interface TlsFiles {
  /** Certificate chain of the server. */
  readonly cert: string | Buffer;
  /** Private key of the server. */
  readonly key: string | Buffer;
  /** The authority that must have signed the certificates of clients. A gateway for other hosts needs it. */
  readonly clientCa?: string | Buffer | undefined;
}

/** A server that accepts requests. */
export interface Listening {
  /** `http://127.0.0.1:11435` or `https://…`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Accepts no new connection, ends the others once they are idle, and resolves when the last one has ended. */
  close(): Promise<void>;
  /** Ends every connection at once. */
  destroy(): void;
  /** Ends the connections of clients whose certificate is no longer admitted. Without client certificates: does nothing. */
  endRefused(): void;
  /** Uses other certificates for new connections. @throws GatewayError `FILE_UNUSABLE`, also where the server has no TLS */
  replaceTls(tls: TlsFiles): void;
}

/** The port that clients find in examples; one above Ollama's. */
export const DEFAULT_PORT = 11435;
const MAX_CONNECTIONS = 4096;
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 120_000;
/** How often these two times are checked, as a part of the shorter one. */
const CHECKS_PER_TIMEOUT = 5;
const KEEP_ALIVE_MS = 65_000;
/** Time for a TLS handshake; Node's own limit is two minutes. Long enough for 4,096 clients that have waited for a suspended process. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 32_768;
const MAX_HEADERS = 200;

/**
 * Listens for requests.
 *
 * @throws GatewayError `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE`, `FILE_UNUSABLE` for a wrong certificate or key
 */
export async function listen(
  handle: RequestListener,
  {
    host = '127.0.0.1',
    port = DEFAULT_PORT,
    tls,
    isAdmitted = null,
    maxConnections = MAX_CONNECTIONS,
    headersTimeoutMs = HEADERS_TIMEOUT_MS,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
    keepAliveMs = KEEP_ALIVE_MS,
  }: ListenOptions,
): Promise<Listening> {
  const limits = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(
      Math.min(headersTimeoutMs, requestTimeoutMs) / CHECKS_PER_TIMEOUT,
    ),
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    // A request that two servers read differently can be smuggled past one of them.
    insecureHTTPParser: false,
    // Node's refusal has no body. The check of the host refuses such a request, too.
    requireHostHeader: false,
  };
  const connections = new Set<Socket>();
  const bounded = refuseManyHeaders(handle, MAX_HEADERS);
  const server = createServer(limits, tls, isAdmitted !== null, bounded);
  if (isAdmitted !== null) {
    server.on('secureConnection', (socket: Socket) => {
      if (!isAdmitted(socket)) {
        socket.destroy();
        return;
      }
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
  }
  server.on('timeout', endIdleConnection);
  inviteBodiesWhenRead(server);
  server.maxConnections = maxConnections;
  // Node drops what is above, so one more is kept to see that there are too many.
  server.maxHeadersCount = MAX_HEADERS + 1;
  const end = createConnectionEnd(server);
  await open(server, host, port);
  answerBrokenRequests(server, { headersTimeoutMs, requestTimeoutMs });
  const bound = boundPort(server) ?? port;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${bound}`,
    host,
    port: bound,
    close: () => end.close(),
    destroy: () => end.destroy(),
    endRefused: () => {
      for (const socket of connections) if (isAdmitted?.(socket) === false) socket.destroy();
    },
    replaceTls: (files) => {
      if (!('setSecureContext' in server)) throw unusableTls(WRONG_PAIR);
      server.setSecureContext(secureOptions(files, isAdmitted !== null));
    },
  };
}

/**
 * Ends a connection that was idle for too long, unless its next request has just arrived. After a process was suspended, its
 * timers run before it reads what has arrived meanwhile. Without this look, those requests would get a broken connection.
 */
function endIdleConnection(socket: Socket): void {
  const { bytesRead } = socket;
  afterReading(() => {
    if (socket.bytesRead === bytesRead) socket.destroy();
  });
}

function createServer(
  limits: ServerOptions,
  tls: TlsFiles | undefined,
  asksClients: boolean,
  handle: RequestListener,
): Server | HttpsServer {
  if (tls === undefined && !asksClients) return createHttpServer(limits, handle);
  if (tls === undefined) throw unusableTls(NO_CLIENT_CA);
  const files = secureOptions(tls, asksClients);
  const server = createHttpsServer(
    {
      ...limits,
      ...files,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ...(asksClients ? { requestCert: true, rejectUnauthorized: true } : {}),
    },
    handle,
  );
  if (asksClients) boundHandshakes(server);
  return server;
}

/** The TLS options, once they are known to be a certificate and its private key. */
function secureOptions(
  { cert, key, clientCa }: TlsFiles,
  asksClients: boolean,
): SecureContextOptions {
  // Without an authority of its own, the server would admit every client that a public authority has certified.
  if (asksClients && clientCa === undefined) throw unusableTls(NO_CLIENT_CA);
  const options: SecureContextOptions = asksClients
    ? { cert, key, ca: clientCa, minVersion: 'TLSv1.3' }
    : { cert, key };
  try {
    createSecureContext(options);
    return options;
  } catch (error) {
    throw unusableTls(WRONG_PAIR, error);
  }
}

const WRONG_PAIR =
  'The TLS certificate and private key cannot be used together. Give a certificate in PEM and its own unencrypted private key in PEM.';
const NO_CLIENT_CA =
  'A gateway for other hosts needs TLS with the authority of their certificates. Give `tls` with `clientCa`.';

function unusableTls(message: string, cause?: unknown): GatewayError {
  return new GatewayError('FILE_UNUSABLE', message, { cause });
}

function open(server: Server | HttpsServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    // Connections that arrive while the process is suspended, or has no CPU time, wait in this queue of the system. Node's own 511 would
    // be full after a minute with ten clients a second, and further clients would give up.
    server.listen({ port, host, backlog: server.maxConnections }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function boundPort(server: Server | HttpsServer): number | null {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : null;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): GatewayError {
  const where = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new GatewayError(
      'ADDRESS_IN_USE',
      `Another program listens on ${where}. Stop it, or choose another port with --port (0 takes a free one).`,
      { cause: error },
    );
  }
  return new GatewayError(
    'ADDRESS_UNAVAILABLE',
    `The gateway cannot listen on ${where}: ${asSentence(error.message)} Choose an address of this machine and a port above 1023.`,
    { cause: error },
  );
}
