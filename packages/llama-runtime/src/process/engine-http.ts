import { request as httpRequest, type IncomingMessage } from 'node:http';
import { LONGEST_TIMER_MS } from '../longest-timer.js';
import type { EngineActivity, EngineState } from './messages.js';
import { codeOf } from './system/process-identity.js';

/** Where an engine process serves HTTP. */
export interface EngineEndpoint {
  readonly port: number;
  /** Bearer token that every request needs. */
  readonly token: string;
}

/** Options of a request to an engine. */
export interface EngineRequest {
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** An engine's answer to `GET /mai/state`; `blocked`: no answer in time; `gone`: nothing listens. */
export type StateAnswer = (EngineState & { readonly pid: number }) | 'blocked' | 'gone';

const ACTIVITIES: ReadonlySet<string> = new Set<EngineActivity>([
  'idle',
  'processing-prompt',
  'generating',
  'computing-embedding',
]);

/** Base of an engine's OpenAI-compatible paths. */
export function baseUrlOf({ port }: EngineEndpoint): string {
  return `http://127.0.0.1:${port}/v1`;
}

/** Headers that every request to an engine needs. */
export function headersOf({ token }: EngineEndpoint): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** An engine's answer to a request. Its body can be read once, and errors while it is read are those of `askEngine`. */
export interface EngineAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  readonly texts: () => AsyncGenerator<string>;
  readonly json: () => Promise<unknown>;
}

/**
 * Sends a request to an engine. `fetch` is not used: it needs 10 GiB of address space, which `ulimit -v` may not allow.
 *
 * @throws the signal's reason; a `TimeoutError`; the system's error, e.g. with the code `ECONNREFUSED`
 */
export async function askEngine(
  endpoint: EngineEndpoint,
  path: string,
  { method = 'GET', body, timeoutMs, signal: given }: EngineRequest,
): Promise<EngineAnswer> {
  const deadline = AbortSignal.timeout(Math.min(timeoutMs, LONGEST_TIMER_MS));
  const signal = given === undefined ? deadline : AbortSignal.any([deadline, given]);
  signal.throwIfAborted();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(`http://127.0.0.1:${endpoint.port}${path}`, {
      method,
      headers: {
        ...headersOf(endpoint),
        connection: 'close',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      agent: false,
      signal,
    });
    request.on('response', resolve);
    // The caller's own reason, which may be any value.
    request.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const status = response.statusCode ?? 0;
  const texts = async function* (): AsyncGenerator<string> {
    try {
      for await (const text of response.setEncoding('utf8')) yield String(text);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  };
  const json = async (): Promise<unknown> => {
    let text = '';
    for await (const piece of texts()) text += piece;
    return JSON.parse(text);
  };
  return { status, ok: status >= 200 && status < 300, texts, json };
}

/** Asks an engine for its activity. */
export async function readState(
  endpoint: EngineEndpoint,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<StateAnswer> {
  try {
    const response = await askEngine(endpoint, '/mai/state', { timeoutMs, signal });
    const answer = await response.json();
    // Another program may listen on the port now.
    return response.ok && isState(answer) ? answer : 'gone';
  } catch (error) {
    signal?.throwIfAborted();
    return isRefused(error) ? 'gone' : 'blocked';
  }
}

/** Whether nothing listens on the port. */
function isRefused(error: unknown): boolean {
  return codeOf(error) === 'ECONNREFUSED';
}

function isState(value: unknown): value is EngineState & { readonly pid: number } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'activity' in value &&
    typeof value.activity === 'string' &&
    ACTIVITIES.has(value.activity) &&
    'queued' in value &&
    typeof value.queued === 'number' &&
    'lastUsedAtMs' in value &&
    (value.lastUsedAtMs === null || typeof value.lastUsedAtMs === 'number') &&
    'reports' in value &&
    typeof value.reports === 'number' &&
    'promptTokens' in value &&
    typeof value.promptTokens === 'number'
  );
}
