import type { StopReason } from '../../runtime/prediction-stats.js';
import type { FinishedAnswer, StartedAnswer } from '../generation/generate.js';

/** Anthropic's reason for the end of an answer. */
export function stopReason({ stats, parts }: FinishedAnswer): string {
  const reasons: Readonly<Record<StopReason, string>> = {
    eosFound: parts.some(({ part }) => part.type === 'toolCall') ? 'tool_use' : 'end_turn',
    stopStringFound: 'stop_sequence',
    maxPredictedTokensReached: 'max_tokens',
    contextLengthReached: 'max_tokens',
    userStopped: 'end_turn',
    modelUnloaded: 'end_turn',
  };
  return reasons[stats.stopReason];
}

/** The fields of a message before its content. */
export function messageHead(id: string, { resident }: StartedAnswer): object {
  return { id, type: 'message', role: 'assistant', model: resident.identifier };
}
