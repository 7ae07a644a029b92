import type { Host } from '../host.js';
import { NO_REQUEST } from '../control/no-request.js';
import type { Serving, ServingPlan } from '../serving/serving.js';
import { explainEpisode } from '../text/decisions/explain-episode.js';
import type { ChatModel, Conversation } from './conversation.js';
import { type ChatMessage, streamAnswer } from './stream-answer.js';

/** Begins a conversation. Loads nothing. */
export function createConversation(
  host: Pick<Host, 'acquire' | 'decisions'> & {
    readonly serving: {
      plan(
        ...asked: Parameters<Serving['plan']>
      ): Promise<Pick<ServingPlan, 'decision' | 'modelKey'>>;
    };
  },
  modelKey: string | null,
): Conversation {
  const history: ChatMessage[] = [];
  let wanted = modelKey;
  let model: ChatModel | null = null;
  /** `wanted` at the last answer: for the same model, a load is unlikely, so no plan is made. */
  let answeredAs: string | null = null;

  const ask: Conversation['ask'] = async (
    question,
    { signal, onLoading, onModel, onPiece } = {},
  ) => {
    const messages: readonly ChatMessage[] = [...history, { role: 'user', content: question }];
    const requirement =
      wanted === null ? { capabilities: ['chat'] as const } : { modelKey: wanted };
    if (onLoading !== undefined && (model === null || answeredAs !== wanted)) {
      const plan = await host.serving.plan({ ...NO_REQUEST, ...requirement }, { signal });
      if (plan.decision === 'load' && plan.modelKey !== null) onLoading(plan.modelKey);
    }
    await using lease = await host.acquire(requirement, { signal });
    model = lease;
    answeredAs = wanted;
    onModel?.(lease);
    let answer = '';
    const remember = (): void => {
      history.splice(0, history.length, ...messages, { role: 'assistant', content: answer });
    };
    try {
      for await (const piece of streamAnswer({
        baseUrl: lease.baseUrl,
        requestHeaders: lease.requestHeaders,
        messages,
        model: lease.instanceIdentifier,
        signal: signal === undefined ? lease.lost : AbortSignal.any([signal, lease.lost]),
      })) {
        if (piece.kind === 'text') answer += piece.text;
        onPiece?.(piece);
      }
    } catch (error) {
      if (signal?.aborted === true && answer !== '') remember();
      throw error;
    }
    remember();
    return answer;
  };

  return {
    get wanted() {
      return wanted;
    },
    get model() {
      return model;
    },
    use: (next) => {
      wanted = next;
    },
    restart: () => void history.splice(0),
    ask,
    why: async () => {
      // The last decision of the log may be one of days ago.
      if (model === null) return null;
      const { decisionId } = model;
      const query = decisionId === null ? { count: 1 } : { count: 1, id: decisionId };
      const { episodes } = await host.decisions(query);
      const episode = episodes.at(-1);
      return episode === undefined ? null : explainEpisode(episode);
    },
  };
}
