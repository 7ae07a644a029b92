import type { SecureContext } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import type { PeerTls } from '../ports/serving-port.js';

/** The start of an answer. */
export interface HttpHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
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

/**
 * Creates a client. Answers have no time limit: the first token of a long prompt may take many minutes. undici's
 * own limits, five minutes for headers and for each pause in the body, are switched off.
 */
export function createHttpClient(): HttpClient {
  const plain = new Agent(AGENT_OPTIONS);
  const agents = new Set([plain]);
  const peers = new WeakMap<SecureContext, Map<string, Agent>>();
  const agentOf = (tls: PeerTls): Agent => {
    const { secureContext, serverName } = tls;
    const byName = peers.get(secureContext) ?? new Map<string, Agent>();
    peers.set(secureContext, byName);
    const agent = byName.get(serverName) ?? createPeerAgent(tls);
    byName.set(serverName, agent);
    agents.add(agent);
    return agent;
  };
  return {
    send: (request, receiver) => {
      const { tls, ...sent } = request;
      return dispatch(tls == null ? plain : agentOf(tls), sent, receiver);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...agents].map((agent) => agent.destroy()));
    },
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
  request: Omit<HttpRequest, 'tls'>,
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
    agent.dispatch(request, handler);
  } catch (error) {
    // An argument that undici refuses, such as an invalid header value. Later, so that the caller has the exchange.
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
