import { isJsonObject, type JsonObject } from '../json.js';
import { lastNumber } from '../protocols/fields.js';
import type { Usage } from '../protocols/protocol.js';

/** The times of one answer. A part that was not measured is null. */
export interface AnswerSpeed {
  /** The tokens of the prompt that were computed, and the time that this took. */
  readonly prompt: {
    readonly tokens: number;
    readonly ms: number;
    /**
     * Whether the runtime reported that no token of the prompt was in its cache. If not, the time may be that of a part of
     * the prompt.
     */
    readonly isWhole: boolean;
  } | null;
  /** The generated tokens after the first one, and the time from the first to the last of them. */
  readonly output: { readonly tokens: number; readonly ms: number } | null;
  /** Tokens in the context before the first generated token. */
  readonly depthTokens: number;
}

/** What is known of an answer when it has ended. */
export interface EndedAnswer {
  /** Its last bytes. */
  readonly tail: string;
  readonly usage: Usage | null;
  /** The most tokens that the request allows; null where it sets no limit. */
  readonly maxOutputTokens: number | null;
  readonly isStream: boolean;
  /** From the request to the first byte. */
  readonly firstByteMs: number;
  /** From the request to the last byte. */
  readonly tookMs: number;
}

/**
 * The times of an answer, from the most exact source that it has: `timings` of llama.cpp and of the embedded engine, `stats` of LM
 * Studio's REST API, or for a stream the arrival of its bytes. Null where the answer does not count its tokens.
 */
export function answerSpeed(answer: EndedAnswer): AnswerSpeed | null {
  const promptTokens = answer.usage?.promptTokens ?? null;
  return (
    fromTimings(objectIn(answer.tail, 'timings'), promptTokens) ??
    fromStats(objectIn(answer.tail, 'stats'), answer) ??
    fromArrival(answer)
  );
}

/**
 * Source: `result_timings` in llama.cpp's tools/server/server-task.h. Its times change from the prompt to the output when the first
 * token is there (tools/server/server-context.cpp), so `predicted_ms` is the time of the others.
 */
function fromTimings(timings: JsonObject | null, promptTokens: number | null): AnswerSpeed | null {
  if (timings === null) return null;
  const promptCount = positive(timings['prompt_n']);
  const promptMs = positive(timings['prompt_ms']);
  const outputCount = positive(timings['predicted_n']);
  const outputMs = positive(timings['predicted_ms']);
  const cached = positive(timings['cache_n']) ?? 0;
  if (promptCount === null && outputCount === null) return null;
  return {
    prompt:
      promptCount === null || promptMs === null
        ? null
        : { tokens: promptCount, ms: promptMs, isWhole: true },
    output: afterFirst(outputCount, outputMs),
    depthTokens: promptTokens ?? (promptCount ?? 0) + cached,
  };
}

/** Source: https://lmstudio.ai/docs/api/rest-api: seconds, and the speed of the tokens after the first one. */
function fromStats(stats: JsonObject | null, answer: EndedAnswer): AnswerSpeed | null {
  const seconds = positive(stats?.['generation_time']);
  const first = positive(stats?.['time_to_first_token']);
  const tokens = outputTokensOf(answer);
  if (seconds === null || tokens === null) return null;
  const promptTokens = answer.usage?.promptTokens ?? null;
  return {
    prompt:
      promptTokens === null || first === null
        ? null
        : { tokens: promptTokens, ms: first * 1000, isWhole: false },
    // Whether the time holds that of the first token is not known. Of one token it says nothing.
    output: tokens > 1 ? { tokens, ms: seconds * 1000 } : null,
    depthTokens: promptTokens ?? 0,
  };
}

function fromArrival(answer: EndedAnswer): AnswerSpeed | null {
  const { tail, usage, isStream, firstByteMs, tookMs } = answer;
  const outputTokens = outputTokensOf(answer);
  const promptTokens = usage?.promptTokens ?? null;
  // The first byte of any other answer comes with its last one.
  if (!isStream || outputTokens === null || promptTokens === null) return null;
  const cached =
    lastNumber(tail, 'cached_tokens') ?? lastNumber(tail, 'cache_read_input_tokens') ?? null;
  const outputMs = tookMs - firstByteMs;
  return {
    prompt: {
      tokens: promptTokens - (cached ?? 0),
      ms: firstByteMs,
      isWhole: cached !== null,
    },
    output: afterFirst(outputTokens, outputMs),
    depthTokens: promptTokens,
  };
}

/** LM Studio 0.4.22 reports one token too few where an answer ends at `max_tokens`: lmstudio-bug-tracker #2335. */
function outputTokensOf({ tail, usage, maxOutputTokens }: EndedAnswer): number | null {
  const reported = usage?.outputTokens ?? null;
  const mayLack = reported !== null && reported + 1 === maxOutputTokens;
  return mayLack && /"finish_reason"\s*:\s*"length"/.test(tail) ? maxOutputTokens : reported;
}

/** The tokens after the first one, whose time is a part of the prompt's. */
function afterFirst(tokens: number | null, ms: number | null): AnswerSpeed['output'] {
  return tokens === null || tokens < 2 || ms === null || ms <= 0
    ? null
    : { tokens: tokens - 1, ms };
}

/** The last object with this name and without an object in it. */
function objectIn(tail: string, name: string): JsonObject | null {
  const quoted = `"${name}"`;
  // A search from the start is far faster, and decides for the many answers without the name.
  if (!tail.includes(quoted)) return null;
  const at = tail.lastIndexOf(quoted);
  const found = /^\s*:\s*(\{[^{}]*\})/.exec(tail.slice(at + name.length + 2));
  if (found?.[1] === undefined) return null;
  try {
    const value: unknown = JSON.parse(found[1]);
    return isJsonObject(value) ? value : null;
  } catch {
    // The text of an answer may look like such an object.
    return null;
  }
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}
