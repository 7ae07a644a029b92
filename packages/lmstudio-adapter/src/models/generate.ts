import { type Connection, inCallersTerms, requireReachable } from '../wire/connection.js';
import { instanceNotFound } from '../load/unload.js';
import type { CallOptions, ResidentInstance } from './model-types.js';
import { raceDeadline } from '../timers.js';
import { Budget } from '../wire/deadline.js';
import { CallFault, isCallFault } from '../wire/call-fault.js';
import type { RawPrediction } from '../wire/wire.js';
import { listResidents } from './list-models.js';

const DEFAULT_GENERATE_TIMEOUT_MS = 120_000;
const CANCEL_GRACE_MS = 1000;

/** A short generation on a loaded model. */
export interface GenerateRequest extends CallOptions {
  readonly instanceIdentifier: string;
  readonly prompt: string;
  /** Tokens to generate at most; 64 unless given. */
  readonly maxTokens?: number | undefined;
  /** The model's own unless given. */
  readonly temperature?: number | null | undefined;
  /** Called with each piece of text; what it throws is ignored. */
  readonly onText?: ((text: string) => void) | undefined;
  /** Deadline in milliseconds; 2 minutes unless given. */
  readonly timeoutMs?: number | undefined;
}

/** What a generation gave and took. */
export interface Generation {
  readonly text: string;
  /** LM Studio's word for why it ended, e.g. `eosFound`, `maxPredictedTokensReached`. */
  readonly stopReason: string;
  readonly promptTokens: number | null;
  readonly predictedTokens: number | null;
  readonly tokensPerSecond: number | null;
  readonly timeToFirstTokenMs: number | null;
}

/** What a warm-up did. */
export interface WarmUp {
  /** Tokens of prompt that were processed; `null`: not told (embedding models). */
  readonly promptTokens: number | null;
}

export async function generate(
  connection: Connection,
  request: GenerateRequest,
): Promise<Generation> {
  const { timers } = connection;
  const budget = Budget.of(timers, request, DEFAULT_GENERATE_TIMEOUT_MS);
  await requireReachable(connection, budget);
  try {
    return toGeneration(await predict(connection, request, budget));
  } catch (error) {
    if (isCallFault(error, 'answered')) await explainMissing(connection, request, budget);
    throw inCallersTerms(error, connection, `generate with '${request.instanceIdentifier}'`, {
      instanceIdentifier: request.instanceIdentifier,
    });
  }
}

/**
 * Runs one prompt of about `promptTokens` tokens through a loaded model and generates one token, so
 * that compute buffers are allocated and mapped weights are paged in: memory can then be measured.
 */
export async function warmUp(
  connection: Connection,
  resident: ResidentInstance,
  promptTokens: number,
  options: CallOptions,
): Promise<WarmUp> {
  // A common short word is one token in every vocabulary that llama.cpp runs.
  const prompt = 'the '.repeat(Math.max(1, Math.round(promptTokens)));
  const { instanceIdentifier, kind } = resident;
  if (kind === 'llm') {
    const request = { ...options, instanceIdentifier, prompt, maxTokens: 1 };
    return { promptTokens: (await generate(connection, request)).promptTokens };
  }
  const budget = Budget.of(connection.timers, options, DEFAULT_GENERATE_TIMEOUT_MS);
  await requireReachable(connection, budget);
  try {
    await connection.pool.command((session) =>
      session.call(budget.spec('embedding', 'embedString'), (wire) =>
        wire.embedString(instanceIdentifier, prompt),
      ),
    );
  } catch (error) {
    throw inCallersTerms(error, connection, `embed with '${instanceIdentifier}'`, {
      instanceIdentifier,
    });
  }
  return { promptTokens: null };
}

function predict(
  connection: Connection,
  request: GenerateRequest,
  budget: Budget,
): Promise<RawPrediction> {
  return connection.pool.command(async (session) => {
    const cancel = new AbortController();
    try {
      return await session.call(budget.spec('llm', 'predict'), (wire) =>
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
      // Otherwise LM Studio would generate to the end for nobody.
      if (!isCallFault(error) || error.kind === 'timed-out') {
        cancel.abort();
        await raceDeadline(session.wire.settled(), {
          timers: connection.timers,
          ms: CANCEL_GRACE_MS,
          onTimeout: () => new CallFault('timed-out', 'llm.predict', 'not confirmed'),
        }).catch(() => undefined);
      }
      throw error;
    }
  });
}

/** LM Studio's refusals have no code; whether the instance exists is the question to ask. */
async function explainMissing(
  connection: Connection,
  request: GenerateRequest,
  budget: Budget,
): Promise<void> {
  const residents = await listResidents(connection, budget, 'listing');
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

function notify(onText: ((text: string) => void) | undefined, text: string): void {
  try {
    onText?.(text);
  } catch {
    // The caller's own fault; documented as ignored.
  }
}
