import { checkRange } from '@mai/memory-ledger';
import { type Connection, toLMStudioError, requireReachable } from '../wire/connection.js';
import { checkWholeNumber } from '../check-whole-number.js';
import { notify } from '../notify.js';
import { type CallOptions, Deadline } from '../wire/deadline.js';
import { isCallFault } from '../wire/call-fault.js';
import type { RawPrediction } from '../wire/wire.js';
import { instanceNotFound } from './find-model.js';
import { listResidents } from './list-residents.js';
import type { ResidentInstance } from './model-types.js';

const DEFAULT_GENERATE_TIMEOUT_MS = 120_000;
/** How long LM Studio may take to confirm a cancelled generation. */
const CANCEL_GRACE_MS = 1000;

/** A short generation with a loaded model. */
export interface GenerateRequest extends CallOptions {
  readonly instanceIdentifier: string;
  readonly prompt: string;
  /** Upper limit of generated tokens, a whole number of at least 1. Default: 64. */
  readonly maxTokens?: number | undefined;
  /** Sampling temperature, at least 0. Default: the model's own. */
  readonly temperature?: number | null | undefined;
  /** Called with each piece of text. Its exceptions are ignored. */
  readonly onText?: ((text: string) => void) | undefined;
  /** Deadline in milliseconds, at least 0. Default: 2 minutes. */
  readonly timeoutMs?: number | undefined;
}

/** A generated text and its figures. */
export interface Generation {
  readonly text: string;
  /**
   * Why the generation ended, in LM Studio's terms: `eosFound`, `maxPredictedTokensReached`, ...
   */
  readonly stopReason: string;
  readonly promptTokens: number | null;
  readonly predictedTokens: number | null;
  /** Generated tokens per second. */
  readonly tokensPerSecond: number | null;
  readonly timeToFirstTokenMs: number | null;
}

/** Options of a warm-up. */
export interface WarmUpOptions extends CallOptions {
  /** Approximate number of prompt tokens, from 1 to 10,000,000. Default: 512, llama.cpp's micro-batch. */
  readonly promptTokens?: number | undefined;
}

/** The result of a warm-up. */
export interface WarmUp {
  /** Prompt tokens that were processed; `null`: not reported, as for embedding models. */
  readonly promptTokens: number | null;
  /** Milliseconds until the first token; `null`: not reported. */
  readonly timeToFirstTokenMs: number | null;
}

/** Generates a short text with a loaded LLM: `LMStudioClient.generate`. */
export async function generate(
  connection: Connection,
  request: GenerateRequest,
): Promise<Generation> {
  const { timers } = connection;
  if (request.maxTokens !== undefined) checkWholeNumber('maxTokens', request.maxTokens, 1);
  if (request.temperature != null) checkRange('temperature', request.temperature, 0);
  const deadline = Deadline.of(timers, request, DEFAULT_GENERATE_TIMEOUT_MS);
  await requireReachable(connection, deadline);
  try {
    return toGeneration(await predict(connection, request, deadline));
  } catch (error) {
    if (isCallFault(error, 'answered')) await requireResident(connection, request, deadline);
    throw toLMStudioError(error, connection, `generate with '${request.instanceIdentifier}'`, {
      instanceIdentifier: request.instanceIdentifier,
    });
  }
}

/**
 * Runs a prompt of about `promptTokens` tokens through a loaded model and generates one token.
 * After that the engine has allocated its compute buffers and read the mapped weights, so its
 * memory can be measured.
 */
export async function warmUp(
  connection: Connection,
  resident: ResidentInstance,
  promptTokens: number,
  options: CallOptions,
): Promise<WarmUp> {
  // This word is one token in the vocabulary of every model that llama.cpp runs.
  const prompt = 'the '.repeat(Math.max(1, Math.round(promptTokens)));
  const { instanceIdentifier, kind } = resident;
  if (kind === 'llm') {
    const request = { ...options, instanceIdentifier, prompt, maxTokens: 1 };
    const { promptTokens: counted, timeToFirstTokenMs } = await generate(connection, request);
    return { promptTokens: counted, timeToFirstTokenMs };
  }
  const deadline = Deadline.of(connection.timers, options, DEFAULT_GENERATE_TIMEOUT_MS);
  await requireReachable(connection, deadline);
  try {
    await connection.pool.command((session) =>
      session.call(deadline.spec('embedding', 'embedString'), (wire) =>
        wire.embedString(instanceIdentifier, prompt),
      ),
    );
  } catch (error) {
    throw toLMStudioError(error, connection, `embed with '${instanceIdentifier}'`, {
      instanceIdentifier,
    });
  }
  return { promptTokens: null, timeToFirstTokenMs: null };
}

function predict(
  connection: Connection,
  request: GenerateRequest,
  deadline: Deadline,
): Promise<RawPrediction> {
  return connection.pool.command(async (session) => {
    const cancel = new AbortController();
    try {
      return await session.call(deadline.spec('llm', 'predict'), (wire) =>
        wire.predict({
          identifier: request.instanceIdentifier,
          prompt: request.prompt,
          maxTokens: request.maxTokens ?? 64,
          temperature: request.temperature ?? null,
          signal: cancel.signal,
          onText: (text) => notify(request.onText, text),
        }),
      );
    } catch (error) {
      // Without a cancellation LM Studio would go on generating.
      if (!isCallFault(error) || error.kind === 'timed-out') {
        cancel.abort();
        await session.settledWithin(CANCEL_GRACE_MS);
      }
      throw error;
    }
  });
}

/**
 * Throws `INSTANCE_NOT_FOUND` where the instance does not exist, because LM Studio's refusal has
 * no code for that.
 */
async function requireResident(
  connection: Connection,
  request: GenerateRequest,
  deadline: Deadline,
): Promise<void> {
  const residents = await listResidents(connection, deadline, 'listing');
  const known = residents.some(
    ({ instanceIdentifier }) => instanceIdentifier === request.instanceIdentifier,
  );
  if (!known) throw instanceNotFound(request.instanceIdentifier, residents);
}

function toGeneration(raw: RawPrediction): Generation {
  return {
    text: raw.text,
    stopReason: raw.stopReason,
    promptTokens: raw.promptTokens,
    predictedTokens: raw.predictedTokens,
    tokensPerSecond: raw.tokensPerSecond,
    timeToFirstTokenMs: raw.timeToFirstTokenSec === null ? null : raw.timeToFirstTokenSec * 1000,
  };
}
