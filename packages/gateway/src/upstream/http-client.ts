import type { SecureContext } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { systemClock, type Clock } from '../ports/clock.js';
import type { PeerTls } from '../ports/serving-port.js';
import { headersOfPeer, type AnswerHeaders } from './answer-headers.js';
import { createPeerPath, type AskForSign, type PeerPath } from './peer-path.js';

/** The start of an answer. */
export interface HttpHead {
  readonly status: number;
  /** From another host: only the headers that this gateway accepts from other hosts. */
  readonly headers: AnswerHeaders;
}

/** A request to the runtime, or to the gateway of another host. */
export interface HttpRequest {
  /** `http://127.0.0.1:1234`, without a path. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer | null;
  /** The certificates of an `https` origin; null or absent where the usual authorities are trusted. */
  readonly tls?: PeerTls | null | undefined;
}

/** Receives an answer. `onEnd` or `onError` is called once and is the last call. */
export interface HttpReceiver {
  onHead(head: HttpHead): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
}

/** A request under way. */
export interface HttpExchange {
  /** Ends the request and its connection. `onError` receives the reason, unless the answer has ended. */
  abort(reason: Error): void;
  /** Stops reading until `resume`, so that the runtime waits for a slow client. */
  pause(): void;
  resume(): void;
}

/** Sends requests to runtimes and keeps connections open between requests. */
export interface HttpClient extends AsyncDisposable {
  send(request: HttpRequest, receiver: HttpReceiver): HttpExchange;
}

/** How long a connection to the runtime may take. The runtime is on this machine or in its network. */
const CONNECT_TIMEOUT_MS = 10_000;
/**
 * How long a connection to another host may take, the TLS handshake included. A lost first packet is sent again after one second and
 * after three. Shorter than for the runtime, because another host or this machine may serve the request.
 */
const PEER_CONNECT_TIMEOUT_MS = 4000;
/** Shorter than the five seconds after which Node's HTTP servers close an idle connection. */
const KEEP_ALIVE_MS = 4000;
/** Upper bound for an idle connection, also where the runtime offers more. */
const KEEP_ALIVE_MAX_MS = 60_000;

/** Path of the questions for a sign of life. Another host refuses it or not: each answer is a sign. */
const SIGN_PATH = '/healthz';

/** The connections to the gateway of another host. */
interface Peer {
  readonly agent: Agent;
  /** By origin, because a host may get another address. */
  readonly paths: Map<string, PeerPath>;
}

/**
 * Creates a client. Answers have no time limit: the first token of a long prompt may take many minutes. undici's
 * own limits, five minutes for headers and for each pause in the body, are switched off. A request to another host fails with the
 * code `PEER_SILENT` once nothing arrives from there any more (`createPeerPath`).
 */
export function createHttpClient(clock: Clock = systemClock): HttpClient {
  const plain = new Agent(AGENT_OPTIONS);
  const agents = new Set([plain]);
  const peers = new WeakMap<SecureContext, Map<string, Peer>>();
  const peerOf = (tls: PeerTls): Peer => {
    const { secureContext, serverName } = tls;
    const byName = peers.get(secureContext) ?? new Map<string, Peer>();
    peers.set(secureContext, byName);
    const peer = byName.get(serverName) ?? { agent: createPeerAgent(tls), paths: new Map() };
    byName.set(serverName, peer);
    agents.add(peer.agent);
    return peer;
  };
  const pathTo = (origin: string, tls: PeerTls, { paths }: Peer): PeerPath => {
    const path = paths.get(origin) ?? createPeerPath(clock, signsOf(origin, tls, agents));
    paths.set(origin, path);
    return path;
  };
  const sendToPeer = (request: HttpRequest, tls: PeerTls, receiver: HttpReceiver): HttpExchange => {
    const peer = peerOf(tls);
    const use = pathTo(request.origin, tls, peer).begin((error) => exchange.abort(error));
    const exchange = dispatch(peer.agent, request, {
      onHead: ({ status, headers }) => {
        use.heard();
        receiver.onHead({ status, headers: headersOfPeer(headers) });
      },
      onData: (chunk) => {
        use.heard();
        receiver.onData(chunk);
      },
      onEnd: () => {
        use.end();
        receiver.onEnd();
      },
      onError: (error) => {
        use.end();
        receiver.onError(error);
      },
    });
    return exchange;
  };
  return {
    send: (request, receiver) => {
      const { tls } = request;
      return tls == null ? dispatch(plain, request, receiver) : sendToPeer(request, tls, receiver);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...agents].map((agent) => agent.destroy()));
    },
  };
}

/**
 * Asks for signs of life over a connection beside those of the requests, because those carry one request at a time. A question without an
 * answer ends its connection, so that the next one opens another.
 *
 * @param agents - the agents that the client ends. Gets the one in use
 */
function signsOf(origin: string, tls: PeerTls, agents: Set<Agent>): AskForSign {
  let agent: Agent | null = null;
  return (settled) => {
    const used = agent ?? createPeerAgent(tls);
    agent = used;
    agents.add(used);
    const request = { origin, path: SIGN_PATH, method: 'GET' as const, headers: {}, body: null };
    const exchange = dispatch(used, request, {
      onHead: () => settled(null),
      onData: () => undefined,
      onEnd: () => undefined,
      onError: (error) => {
        if (agent === used) agent = null;
        agents.delete(used);
        void used.destroy();
        settled(error);
      },
    });
    return { cancel: () => exchange.abort(new Error('The question is not needed any more.')) };
  };
}

const AGENT_OPTIONS: Agent.Options = {
  headersTimeout: 0,
  bodyTimeout: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
  // Each streamed answer holds a connection. The queue limits how many there are.
  connections: null,
  pipelining: 1,
};

/** An agent for the gateway of one host. Its address may be any: only its certificate counts. */
function createPeerAgent({ secureContext, serverName, checkServer }: PeerTls): Agent {
  return new Agent({
    ...AGENT_OPTIONS,
    // A resumed session would outlive the certificate with which it began.
    maxCachedSessions: 0,
    connect: {
      secureContext,
      timeout: PEER_CONNECT_TIMEOUT_MS,
      rejectUnauthorized: true,
      servername: serverName,
      checkServerIdentity: (_address, certificate) => checkServer(certificate),
    },
  });
}

function dispatch(
  agent: Agent,
  { origin, path, method, headers, body }: HttpRequest,
  receiver: HttpReceiver,
): HttpExchange {
  let controller: Dispatcher.DispatchController | null = null;
  let aborted: Error | null = null;
  let ended = false;
  const fail = (error: Error): void => {
    if (ended) return;
    ended = true;
    receiver.onError(aborted ?? error);
  };
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      // An abort before the connection stood.
      if (aborted !== null) started.abort(aborted);
    },
    onResponseStart: (_controller, status, headers) => {
      // An informational answer such as 103 precedes the real one.
      if (status >= 200) receiver.onHead({ status, headers });
    },
    onResponseData: (_controller, chunk) => receiver.onData(chunk),
    onResponseEnd: () => {
      if (ended) return;
      ended = true;
      receiver.onEnd();
    },
    onResponseError: (_controller, error) => fail(error),
  };
  try {
    agent.dispatch({ origin, path, method, headers, body }, handler);
  } catch (error) {
    // An argument that undici refuses, such as an invalid header value. Report the error after this function has returned, so that
    // the caller has the exchange by then.
    queueMicrotask(() => fail(error instanceof Error ? error : new Error(String(error))));
  }
  return {
    abort: (reason) => {
      if (ended) return;
      aborted ??= reason;
      controller?.abort(reason);
      // Before the connection stands undici has no controller, and its error may come late.
      if (controller === null) fail(reason);
    },
    pause: () => controller?.pause(),
    resume: () => controller?.resume(),
  };
}
