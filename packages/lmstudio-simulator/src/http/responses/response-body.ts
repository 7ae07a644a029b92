import type { FinishedAnswer } from '../generation/generate.js';
import type { ResponsesRequest } from './read-responses.js';

/** The body of a response, with or without a stream. */
export interface ResponseHead {
  readonly id: string;
  readonly createdAt: number;
  readonly request: ResponsesRequest;
}

/** A response before its end. From OpenAI's documentation. It is not known which of these fields LM Studio sends. */
export function startedBody({ id, createdAt, request }: ResponseHead, model: string): object {
  return {
    id,
    object: 'response',
    created_at: createdAt,
    status: 'in_progress',
    model,
    output: [],
    error: null,
    incomplete_details: null,
    usage: null,
    ...request.echo,
  };
}

/** A response at its end. */
export function finishedBody(
  head: ResponseHead,
  answer: FinishedAnswer,
  output: readonly object[],
): object {
  const outputTokens = answer.stats.predictedTokensCount;
  const status = statusOf(answer);
  return {
    ...startedBody(head, answer.resident.identifier),
    status,
    output,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    usage: {
      input_tokens: answer.promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: answer.reasoningTokens },
      total_tokens: answer.promptTokens + outputTokens,
    },
  };
}

/** Whether a limit has ended an answer. */
export function statusOf({ stats }: FinishedAnswer): 'completed' | 'incomplete' {
  return stats.stopReason === 'maxPredictedTokensReached' ||
    stats.stopReason === 'contextLengthReached'
    ? 'incomplete'
    : 'completed';
}
