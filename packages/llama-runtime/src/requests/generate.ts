import { notify } from '../notify.js';
import type { EngineRecord } from '../residents/registry.js';
import { callEngine, post, requestFailed } from './call-engine.js';
import { type ChatUsage, readChunks } from './chat-chunks.js';
import type { CallOptions } from '../within.js';

const DEFAULT_GENERATE_TIMEOUT_MS = 120_000;
const DEFAULT_MAX_TOKENS = 64;

/** A short generation with a loaded model. */
export interface GenerateRequest extends CallOptions {
  readonly instanceIdentifier: string;
  readonly prompt: string;
  /** Upper limit of generated tokens. Default: 64. */
  readonly maxTokens?: number | undefined;
  /** Sampling temperature. Default: the engine's own. */
  readonly temperature?: number | null | undefined;
  /** Called with each piece of text. Its exceptions are ignored. */
  readonly onText?: ((text: string) => void) | undefined;
  /** Deadline in milliseconds. Default: 2 minutes. */
  readonly timeoutMs?: number | undefined;
}

/** A generated text and its figures. */
export interface Generation {
  readonly text: string;
  /** Why the generation ended: `eosFound`, `maxPredictedTokensReached`, `contextLengthReached`, `toolCalls`. */
  readonly stopReason: string;
  readonly promptTokens: number | null;
  readonly predictedTokens: number | null;
  /** Generated tokens per second, after the first token. */
  readonly tokensPerSecond: number | null;
  readonly timeToFirstTokenMs: number | null;
}

/** Options of a warm-up. */
export interface WarmUpOptions extends CallOptions {
  /** Approximate number of prompt tokens. Default: 512, llama.cpp's micro-batch. */
  readonly promptTokens?: number | undefined;
}

/** The result of a warm-up. */
export interface WarmUp {
  /** Prompt tokens that were processed; `null` for embedding models. */
  readonly promptTokens: number | null;
  /** Milliseconds until the first token; `null` for embedding models. */
  readonly timeToFirstTokenMs: number | null;
}

/**
 * Answers a prompt with the model's chat template.
 *
 * @throws LlamaRuntimeError `TIMED_OUT`, `ENGINE_CRASHED`, or `REQUEST_FAILED` with the engine's message.
 */
export function generate(record: EngineRecord, request: GenerateRequest): Promise<Generation> {
  const maxTokens = request.maxTokens ?? DEFAULT_MAX_TOKENS;
  return callEngine(record, request, DEFAULT_GENERATE_TIMEOUT_MS, async (timeoutMs) => {
    const startedMs = performance.now();
    const response = await post(record, '/v1/chat/completions', {
      timeoutMs,
      signal: request.signal,
      body: {
        model: record.spec.instanceIdentifier,
        messages: [{ role: 'user', content: request.prompt }],
        max_tokens: maxTokens,
        stream: true,
        stream_options: { include_usage: true },
        ...(request.temperature == null ? {} : { temperature: request.temperature }),
      },
    });
    let text = '';
    let finishReason: string | null = null;
    let usage: ChatUsage | null = null;
    let firstMs: number | null = null;
    let lastMs = startedMs;
    for await (const chunk of readChunks(response)) {
      if (chunk.error !== null) throw requestFailed(record, chunk.error);
      usage = chunk.usage ?? usage;
      finishReason = chunk.finishReason ?? finishReason;
      if (!chunk.hasToken) continue;
      lastMs = performance.now();
      firstMs ??= lastMs;
      text += chunk.text;
      if (chunk.text !== '') notify(request.onText, chunk.text);
    }
    if (finishReason === null) throw new Error('The answer has no finish reason.');
    const predicted = usage?.completionTokens ?? null;
    const seconds = firstMs === null ? 0 : (lastMs - firstMs) / 1000;
    return {
      text,
      stopReason: stopReasonOf(finishReason, predicted, maxTokens),
      promptTokens: usage?.promptTokens ?? null,
      predictedTokens: predicted,
      tokensPerSecond: predicted === null || seconds <= 0 ? null : (predicted - 1) / seconds,
      timeToFirstTokenMs: firstMs === null ? null : firstMs - startedMs,
    };
  });
}

/** OpenAI's reason in LM Studio's terms. */
function stopReasonOf(finishReason: string, predicted: number | null, maxTokens: number): string {
  if (finishReason === 'tool_calls') return 'toolCalls';
  if (finishReason !== 'length') return 'eosFound';
  return predicted !== null && predicted < maxTokens
    ? 'contextLengthReached'
    : 'maxPredictedTokensReached';
}

/**
 * Runs a prompt of about `promptTokens` tokens through a loaded model. After that the engine has read the mapped
 * weights and used all its buffers, so its memory can be measured.
 */
export async function warmUp(
  record: EngineRecord,
  promptTokens: number,
  options: CallOptions,
): Promise<WarmUp> {
  // This word is one token in the vocabulary of most models.
  const prompt = 'the '.repeat(Math.max(1, Math.round(promptTokens)));
  const { instanceIdentifier, kind } = record.spec;
  if (kind === 'llm') {
    const request = { ...options, instanceIdentifier, prompt, maxTokens: 1 };
    const { promptTokens: counted, timeToFirstTokenMs } = await generate(record, request);
    return { promptTokens: counted, timeToFirstTokenMs };
  }
  await callEngine(record, options, DEFAULT_GENERATE_TIMEOUT_MS, async (timeoutMs) => {
    const body = { model: instanceIdentifier, input: prompt };
    const { signal } = options;
    const response = await post(record, '/v1/embeddings', { timeoutMs, signal, body });
    await response.json();
  });
  return { promptTokens: null, timeToFirstTokenMs: null };
}
