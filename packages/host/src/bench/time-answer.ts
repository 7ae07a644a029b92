import { postJson, textOfResponse } from '../chat/post-json.js';
import { errorIn, eventsOf } from '../chat/read-events.js';
import { isRecord, messageOf } from '../guards.js';
import { HostError } from '../host-error.js';
import type { MeasuredAnswer } from '../learning/speed-learner.js';

/** A request whose answer is timed. */
export interface TimedRequest {
  /** Address of the HTTP server, without a path. */
  readonly baseUrl: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly instanceIdentifier: string;
  readonly prompt: string;
  readonly maxTokens: number;
  readonly signal: AbortSignal;
}

/** The token counts and times of an answer. */
export type AnswerTimes = Omit<MeasuredAnswer, 'modelKey' | 'instanceIdentifier'>;

/**
 * Asks a resident for an answer and times it: by the engine's own `timings` where it reports them, or else by the arrival of the
 * pieces. The text of the answer is not kept.
 *
 * @throws HostError `ANSWER_FAILED`, also where the stream reports an error or breaks off; the signal's reason
 */
export async function timeAnswer(asked: TimedRequest): Promise<AnswerTimes> {
  const { instanceIdentifier, signal } = asked;
  try {
    return await ask(asked);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HostError) throw error;
    const why = messageOf(error);
    throw failed(instanceIdentifier, why, error);
  }
}

async function ask({
  baseUrl,
  requestHeaders,
  instanceIdentifier,
  prompt,
  maxTokens,
  signal,
}: TimedRequest): Promise<AnswerTimes> {
  const startedMs = performance.now();
  const response = await postJson({
    url: `${baseUrl}/v1/chat/completions`,
    headers: requestHeaders,
    body: {
      model: instanceIdentifier,
      messages: [{ role: 'user', content: prompt }],
      max_tokens: maxTokens,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    },
    signal,
  });
  if (response.statusCode !== 200) {
    const text = (await textOfResponse(response, QUOTED_MAX)).slice(0, QUOTED_MAX);
    throw failed(instanceIdentifier, `status ${response.statusCode ?? 0}: ${text}`);
  }
  let firstMs: number | null = null;
  let lastMs = startedMs;
  let usage: Readonly<Record<string, unknown>> = {};
  let timings: Readonly<Record<string, unknown>> | null = null;
  let isDone = false;
  let isAtLimit = false;
  for await (const data of eventsOf(response)) {
    isDone ||= data === '[DONE]';
    const event: unknown = data.startsWith('{') ? JSON.parse(data) : null;
    if (!isRecord(event)) continue;
    const error = errorIn(event);
    if (error !== null) throw failed(instanceIdentifier, error);
    isDone ||= isFinished(event);
    isAtLimit ||= firstChoice(event)?.['finish_reason'] === 'length';
    if (isRecord(event['usage'])) usage = event['usage'];
    if (isRecord(event['timings'])) timings = event['timings'];
    if (!hasText(event)) continue;
    lastMs = performance.now();
    firstMs ??= lastMs;
  }
  if (!isDone) throw failed(instanceIdentifier, 'the connection ended before the answer did');
  const promptTokens = count(usage['prompt_tokens']);
  const reported = count(usage['completion_tokens']);
  // LM Studio 0.4.22 reports one token too few where an answer ends at `max_tokens`: lmstudio-bug-tracker #2335.
  const outputTokens = isAtLimit && reported === maxTokens - 1 ? maxTokens : reported;
  if (timings !== null) {
    return {
      prompt: timed(count(timings['prompt_n']), count(timings['prompt_ms'])),
      // llama.cpp counts the first token, but not its time.
      output: timed(count(timings['predicted_n']) - 1, count(timings['predicted_ms'])),
      depthTokens: promptTokens,
    };
  }
  return {
    // The prompts of a benchmark are new, so no part of them is in the cache.
    prompt: timed(promptTokens, (firstMs ?? startedMs) - startedMs),
    // The time of the first token is part of the prompt's time.
    output: timed(outputTokens - 1, lastMs - (firstMs ?? lastMs)),
    depthTokens: promptTokens,
  };
}

const QUOTED_MAX = 200;

function failed(model: string, why: string, cause?: unknown): HostError {
  const message = `${model} did not answer: ${why.replace(/\.$/, '')}. Run the benchmark again.`;
  return new HostError('ANSWER_FAILED', message, { cause });
}

/** Whether an event brings a piece of the answer. */
function hasText(event: Readonly<Record<string, unknown>>): boolean {
  const delta = firstChoice(event)?.['delta'];
  if (!isRecord(delta)) return false;
  return ['content', 'reasoning_content', 'reasoning', 'tool_calls'].some(
    (field) => delta[field] !== undefined && delta[field] !== null && delta[field] !== '',
  );
}

function isFinished(event: Readonly<Record<string, unknown>>): boolean {
  return typeof firstChoice(event)?.['finish_reason'] === 'string';
}

function firstChoice({
  choices,
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | null {
  const list: readonly unknown[] = Array.isArray(choices) ? choices : [];
  const [choice] = list;
  return isRecord(choice) ? choice : null;
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

function timed(
  tokens: number,
  ms: number,
): { readonly tokens: number; readonly ms: number } | null {
  return tokens > 0 && ms > 0 ? { tokens, ms } : null;
}
