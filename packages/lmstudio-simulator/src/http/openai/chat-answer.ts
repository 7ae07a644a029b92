import type { Backend } from '../../runtime/backend.js';
import { isAtLeast } from '../../profile/http-api.js';
import type { StopReason } from '../../runtime/prediction-stats.js';
import { formatName } from '../../runtime/device.js';
import type { ResidentState } from '../../runtime/resident.js';
import type { FinishedAnswer } from '../generation/generate.js';
import { newCallIdentifier } from '../generation/identifiers.js';

/** The field of a message that carries the reasoning. */
export function reasoningField(
  { runtime }: Backend,
  { file }: ResidentState,
): 'reasoning' | 'reasoning_content' {
  // From documentation: since 0.3.23, gpt-oss uses the field that o3-mini uses.
  return isAtLeast(runtime.profile.version, '0.3.23') && file.model.architecture === 'gpt-oss'
    ? 'reasoning'
    : 'reasoning_content';
}

/** The finish reason of a chat or of a text completion. */
export function finishReason({ stats, parts }: FinishedAnswer): string {
  const reasons: Readonly<Record<StopReason, string>> = {
    eosFound: parts.some(({ part }) => part.type === 'toolCall') ? 'tool_calls' : 'stop',
    stopStringFound: 'stop',
    maxPredictedTokensReached: 'length',
    contextLengthReached: 'length',
    userStopped: 'stop',
    modelUnloaded: 'stop',
  };
  return reasons[stats.stopReason];
}

/** The usage of a chat or of a text completion. Captured: no `prompt_tokens_details` (lmstudio-bug-tracker #2390). */
export function usageOf({ promptTokens, stats, reasoningTokens }: FinishedAnswer): object {
  const completionTokens = stats.predictedTokensCount;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

/**
 * The body of a chat that is not streamed. Captured: the keys of 0.4, with an empty `reasoning_content` and
 * `tool_calls` where the answer has none. From documentation: before 0.4, the body has these two keys only where
 * they are not empty.
 */
export function chatBody(
  backend: Backend,
  head: { readonly id: string; readonly created: number },
  answer: FinishedAnswer,
): object {
  const { resident, parts } = answer;
  const textOf = (type: string): string =>
    parts
      .filter(({ part }) => part.type === type)
      .map(({ content }) => content)
      .join('');
  const toolCalls = parts.flatMap(({ part, content }) =>
    part.type === 'toolCall'
      ? [
          {
            type: 'function',
            id: newCallIdentifier(),
            function: { name: part.toolName, arguments: content },
          },
        ]
      : [],
  );
  const isComplete = isAtLeast(backend.runtime.profile.version, '0.4.0');
  const reasoning = textOf('reasoning');
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: resident.identifier,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: textOf('text'),
          ...(isComplete || reasoning !== ''
            ? { [reasoningField(backend, resident)]: reasoning }
            : {}),
          ...(isComplete || toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
        },
        logprobs: null,
        finish_reason: finishReason(answer),
      },
    ],
    usage: usageOf(answer),
    stats: {},
    system_fingerprint: resident.identifier,
  };
}

/** The fields that REST v0 adds to an answer that is not streamed. From documentation. */
export function restV0Fields({ runtime }: Backend, { resident, stats }: FinishedAnswer): object {
  const { model, quantization } = resident.file;
  const engine = runtime.engines.forModel(model);
  return {
    stats: {
      tokens_per_second: stats.tokensPerSecond,
      time_to_first_token: stats.timeToFirstTokenSec,
      generation_time: Math.max(0, stats.totalTimeSec - stats.timeToFirstTokenSec),
      stop_reason: stats.stopReason,
    },
    model_info: {
      arch: model.architecture,
      quant: quantization?.name ?? null,
      format: formatName(model),
      context_length: resident.settings.contextLengthTokens,
    },
    runtime: {
      name: engine?.name ?? null,
      version: engine?.version ?? null,
      supported_formats: engine ? [engine.formatName.toLowerCase()] : [],
    },
  };
}
