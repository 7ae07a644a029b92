import type { LeaseFacts } from '../control/autopilot-service.js';
import type { Explanation } from '../text/decisions/explain-episode.js';
import type { AnswerPiece } from './stream-answer.js';

/** A model of a conversation. */
export type ChatModel = Pick<LeaseFacts, 'modelKey' | 'instanceIdentifier' | 'decisionId'>;

/** Options of one question. */
export interface AskOptions {
  /** Cancels the answer. The part that has arrived stays in the conversation. */
  readonly signal?: AbortSignal | undefined;
  /** Called where a model must be loaded first. */
  readonly onLoading?: ((modelKey: string) => void) | undefined;
  /** Called when a model is chosen and loaded, before its answer. */
  readonly onModel?: ((model: ChatModel) => void) | undefined;
  /** Called with each piece of the answer. */
  readonly onPiece?: ((piece: AnswerPiece) => void) | undefined;
}

/** A conversation with the best model that fits, or with one model. */
export interface Conversation {
  /** The key of the model that the next question asks for; null: the best model that fits. */
  readonly wanted: string | null;
  /** The model of the last answer; null before the first one. */
  readonly model: ChatModel | null;
  /** Asks another model from the next question on. The conversation so far stays. */
  use(modelKey: string | null): void;
  /** Forgets the conversation so far. */
  restart(): void;
  /**
   * Asks a question, and returns the whole answer. The model stays loaded while it answers.
   *
   * @throws as `Host.acquire`; HostError `ANSWER_FAILED`. A question that failed is not part of the conversation.
   */
  ask(question: string, options?: AskOptions): Promise<string>;
  /** Explains the decision in force at the last answer; null before the first answer, and where no decision was logged. */
  why(): Promise<Explanation | null>;
}
