import type { Client } from './clients/client.js';
import type { GatewayAccess } from './gateway-access.js';
import { errorIn, field } from './probe/fields.js';
import type { ProbeRequest } from './probe/probe-request.js';
import { parseServerEvents, shorten } from './probe/server-events.js';

/** The answer to one request of a client. */
export interface ProbeResult {
  readonly title: string;
  /** Method and path, such as `POST /v1/messages`. */
  readonly request: string;
  /** Whether the client could use the answer. */
  readonly ok: boolean;
  /** HTTP status. Null: nothing was answered. */
  readonly status: number | null;
  /** The answer in a few words, or its fault. */
  readonly detail: string;
  /** Which model answered. Null: the answer does not say so. */
  readonly model: string | null;
  readonly durationMs: number;
}

/** Options of `testClient`. */
export interface ProbeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Deadline of one request, in milliseconds. Default: 300,000, because a model may have to be loaded first. */
  readonly timeoutMs?: number | undefined;
  /** Called before each request. The answer of a slow model takes minutes, so a person wants to see what is waited for. */
  readonly onRequest?: ((started: StartedRequest) => void) | undefined;
}

/** A request of `testClient` that is being sent. */
export interface StartedRequest {
  readonly title: string;
  /** Such as `POST /v1/responses`. */
  readonly request: string;
  /** Deadline of its answer, in milliseconds. */
  readonly timeoutMs: number;
}

const TIMEOUT_MS = 300_000;

/**
 * Sends a client's requests to the gateway, one after another, and judges each answer as the client would.
 *
 * @throws the reason of the signal
 */
export async function testClient(
  client: Client,
  access: GatewayAccess,
  options: ProbeOptions = {},
): Promise<readonly ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const request of client.requests(access)) {
    options.signal?.throwIfAborted();
    const { title, method, path } = request;
    const { timeoutMs = TIMEOUT_MS } = options;
    options.onRequest?.({ title, request: `${method} ${path}`, timeoutMs });
    results.push(await probe(request, access.url, options));
    options.signal?.throwIfAborted();
  }
  return results;
}

async function probe(
  request: ProbeRequest,
  url: string,
  { signal, timeoutMs = TIMEOUT_MS }: ProbeOptions,
): Promise<ProbeResult> {
  const startMs = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const seen: { status: number | null; model: string | null } = { status: null, model: null };
  const outcome = await judge().then(
    (detail) => ({ ok: true, detail }),
    (error: unknown) => ({ ok: false, detail: failureText(error, timeout, url, timeoutMs) }),
  );
  return {
    title: request.title,
    request: `${request.method} ${request.path}`,
    ...outcome,
    ...seen,
    durationMs: performance.now() - startMs,
  };

  async function judge(): Promise<string> {
    const response = await fetch(`${url}${request.path}`, {
      method: request.method,
      headers: request.headers,
      body: request.body === null ? null : JSON.stringify(request.body),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    seen.status = response.status;
    const text = await response.text();
    seen.model = response.headers.get('x-mai-model') ?? modelIn(text);
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !type.includes('event-stream')) {
      const body = jsonOf(text);
      const message = errorIn(body);
      if (message !== null) throw new Error(message);
      if (!response.ok || body === undefined) throw new Error(shorten(text));
      if (request.answer.kind === 'json') return request.answer.check(body);
      throw new Error(`the answer is not a stream but ${type}`);
    }
    if (request.answer.kind === 'json')
      throw new Error('the answer is a stream, and the client did not ask for one');
    return request.answer.check(parseServerEvents(text));
  }
}

function failureText(error: unknown, timeout: AbortSignal, url: string, timeoutMs: number): string {
  if (timeout.aborted) return `no answer within ${timeoutMs / 1000} s`;
  // `fetch` tells each failure of the connection as a TypeError, such as "fetch failed", with the fault as its cause.
  const fault = String(error).startsWith('TypeError') ? field(error, 'cause') : undefined;
  if (fault !== undefined) return connectionText(fault, url);
  return error instanceof Error ? error.message : String(error);
}

/** Says why a connection has failed, and the next thing to try. */
function connectionText(fault: unknown, url: string): string {
  const code = field(fault, 'code');
  if (code === 'ECONNREFUSED')
    return `nothing listens at ${url}; start the gateway with \`mai serve\``;
  const { protocol, hostname } = new URL(url);
  const text = String(code ?? field(fault, 'message'));
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the host name ${hostname} has no known address (${text}); check --gateway`;
  if (protocol === 'https:' && text.startsWith('ERR_SSL_'))
    return `the server at ${url} does not use TLS as expected (${text}); for a gateway without --tls-cert, give --gateway with http://`;
  if (protocol === 'https:' && /CERT|SIGNATURE/.test(text))
    return `the certificate of ${url} is not trusted (${text}); give --gateway with a name that stands in the certificate, and its authority in NODE_EXTRA_CA_CERTS`;
  const encrypted =
    protocol === 'http:' && code === 'UND_ERR_SOCKET'
      ? ', or give --gateway with https:// where the gateway has --tls-cert'
      : '';
  return `the connection to ${url} failed (${text}); check --gateway${encrypted}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller shows the text.
    return undefined;
  }
}

/** The model that an answer names, in JSON or in the first event that names one. */
function modelIn(text: string): string | null {
  const found = /"model"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  return found === undefined ? null : String(JSON.parse(found));
}
