import { field } from '../field.js';
import type { EngineActivity, EngineState } from './messages.js';
import { codeOf } from './process-identity.js';

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

/** Sends a request to an engine. Rejects with the signal's reason, a `TimeoutError`, or a `TypeError` of `fetch`. */
export function askEngine(
  endpoint: EngineEndpoint,
  path: string,
  { method = 'GET', body, timeoutMs, signal }: EngineRequest,
): Promise<Response> {
  const deadline = AbortSignal.timeout(timeoutMs);
  return fetch(`http://127.0.0.1:${endpoint.port}${path}`, {
    method,
    headers: {
      ...headersOf(endpoint),
      // An idle socket of `fetch` would keep the process alive for seconds.
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
  });
}

/** Asks an engine for its activity. */
export async function readState(
  endpoint: EngineEndpoint,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<StateAnswer> {
  try {
    const response = await askEngine(endpoint, '/mai/state', { timeoutMs, signal });
    const answer: unknown = await response.json();
    // Another program may listen on the port now.
    return response.ok && isState(answer) ? answer : 'gone';
  } catch (error) {
    signal?.throwIfAborted();
    return isRefused(error) ? 'gone' : 'blocked';
  }
}

/** Whether nothing listens on the port. */
function isRefused(error: unknown): boolean {
  return codeOf(field(error, 'cause')) === 'ECONNREFUSED';
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
