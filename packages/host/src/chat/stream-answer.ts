import type { IncomingMessage } from 'node:http';
import { isRecord, messageOf } from '../guards.js';
import { HostError } from '../host-error.js';
import { postJson, textOfResponse } from './post-json.js';
import { errorIn, errorText, eventsOf } from './read-events.js';

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A piece of an answer. */
export interface AnswerPiece {
  /** `reasoning`: the model's thoughts before its answer. */
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

/** A request for a streamed answer. */
export interface AnswerRequest {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly signal: AbortSignal;
}

const ASK_AGAIN = 'Ask again.';
/** Each question is sent with the conversation before it, so without a new one no further question fits. */
const NEW_CONVERSATION = '/new begins a new conversation.';
/** What LM Studio and the embedded engine say of a prompt that is longer than the context. */
const CONTEXT_EXCEEDED = /n_keep|context (?:length|size)/i;

/** Maximum length of an error's body in characters. */
const ERROR_MAX = 10_000;

/**
 * Asks an OpenAI endpoint for an answer, and yields its pieces as they arrive.
 *
 * @throws HostError `ANSWER_FAILED` where the endpoint refuses the request or breaks off; the signal's reason
 */
export async function* streamAnswer(asked: AnswerRequest): AsyncGenerator<AnswerPiece> {
  const { baseUrl, requestHeaders, signal, model, messages } = asked;
  signal.throwIfAborted();
  try {
    const response = await postJson({
      url: `${baseUrl}/chat/completions`,
      headers: requestHeaders,
      body: { model, messages, stream: true },
      signal,
    });
    const { statusCode = 0 } = response;
    if (statusCode !== 200) {
      // 501: the model can never do this, and the text says which model can.
      const next = statusCode === 501 ? null : ASK_AGAIN;
      throw failed(model, await refusalText(response), next);
    }
    let isDone = false;
    for await (const data of eventsOf(response)) {
      if (data === '[DONE]') {
        isDone = true;
        break;
      }
      const { pieces, error, finished } = parseChunk(data);
      if (error !== null) throw failed(model, error);
      yield* pieces;
      isDone ||= finished;
    }
    if (!isDone) throw failed(model, 'the connection ended before the answer did');
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HostError) throw error;
    throw failed(model, messageOf(error), ASK_AGAIN, error);
  }
}

function failed(
  model: string,
  why: string,
  next: string | null = ASK_AGAIN,
  cause?: unknown,
): HostError {
  const advice = CONTEXT_EXCEEDED.test(why) ? NEW_CONVERSATION : next;
  return new HostError(
    'ANSWER_FAILED',
    `${model} did not answer: ${why.replace(/\.$/, '')}.${advice === null ? '' : ` ${advice}`}`,
    { cause },
  );
}

interface Chunk {
  readonly pieces: readonly AnswerPiece[];
  readonly error: string | null;
  readonly finished: boolean;
}

function parseChunk(data: string): Chunk {
  const chunk: unknown = JSON.parse(data);
  if (!isRecord(chunk)) return { pieces: [], error: null, finished: false };
  const error = errorIn(chunk);
  const choices: readonly unknown[] = Array.isArray(chunk['choices']) ? chunk['choices'] : [];
  const [choice] = choices;
  if (!isRecord(choice)) return { pieces: [], error, finished: false };
  const delta = isRecord(choice['delta']) ? choice['delta'] : {};
  const piece = (kind: AnswerPiece['kind'], text: unknown): readonly AnswerPiece[] =>
    typeof text === 'string' && text !== '' ? [{ kind, text }] : [];
  return {
    pieces: [
      // LM Studio and llama.cpp write `reasoning_content`, other servers `reasoning`.
      ...piece('reasoning', delta['reasoning_content'] ?? delta['reasoning']),
      ...piece('text', delta['content']),
    ],
    error,
    finished: typeof choice['finish_reason'] === 'string',
  };
}

async function refusalText(response: IncomingMessage): Promise<string> {
  const text = await textOfResponse(response, ERROR_MAX);
  const status = `status ${response.statusCode ?? 0}`;
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) && body['error'] !== undefined ? errorText(body['error']) : status;
  } catch {
    return status;
  }
}
