import { isLlamaRuntimeError, LlamaRuntimeError } from '../errors.js';
import { field } from '../field.js';
import { goneWithin } from '../process/end-foreign.js';
import { asSentence } from '../process/engine-faults.js';
import { askEngine, type EngineAnswer, type EngineRequest } from '../process/engine-http.js';
import type { EngineRecord } from '../residents/registry.js';
import type { CallOptions } from '../within.js';

/** Time for the system to end a process whose connection has broken. */
const EXIT_GRACE_MS = 200;

/** Sends a request to an engine. @throws LlamaRuntimeError `REQUEST_FAILED` where the engine refuses it. */
export async function post(
  record: EngineRecord,
  path: string,
  request: EngineRequest,
): Promise<EngineAnswer> {
  const response = await askEngine(record.endpoint, path, { ...request, method: 'POST' });
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  const message = field(field(answer, 'error'), 'message');
  throw requestFailed(
    record,
    typeof message === 'string' ? message : `HTTP status ${response.status}`,
  );
}

/** The error for a request that an engine refused. */
export function requestFailed({ spec }: EngineRecord, message: string): LlamaRuntimeError {
  const { instanceIdentifier, modelKey } = spec;
  return new LlamaRuntimeError(
    'REQUEST_FAILED',
    `'${instanceIdentifier}' did not answer the request: ${asSentence(message)}`,
    { instanceIdentifier, modelKey, serverMessage: message },
  );
}

/**
 * Runs a call, and turns a broken connection and a passed deadline into this package's errors.
 *
 * @throws LlamaRuntimeError `TIMED_OUT`; `ENGINE_CRASHED` where the process ended; `REQUEST_FAILED`.
 */
export async function callEngine<T>(
  record: EngineRecord,
  { signal, timeoutMs: given }: CallOptions,
  defaultTimeoutMs: number,
  call: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const timeoutMs = given ?? defaultTimeoutMs;
  const { instanceIdentifier, modelKey } = record.spec;
  try {
    return await call(timeoutMs);
  } catch (error) {
    signal?.throwIfAborted();
    if (isLlamaRuntimeError(error)) throw error;
    if (field(error, 'name') === 'TimeoutError') {
      throw new LlamaRuntimeError(
        'TIMED_OUT',
        `'${instanceIdentifier}' did not answer within ${timeoutMs / 1000} s. Allow more time, or ask for fewer tokens.`,
        { instanceIdentifier, modelKey, cause: error },
      );
    }
    const hasEnded = await goneWithin(record, EXIT_GRACE_MS);
    if (!hasEnded) throw requestFailed(record, 'the connection broke');
    throw new LlamaRuntimeError(
      'ENGINE_CRASHED',
      `The engine process of '${instanceIdentifier}' ended while it answered. Load the model again.`,
      { instanceIdentifier, modelKey, cause: error },
    );
  }
}
