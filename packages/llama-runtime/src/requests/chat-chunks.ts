import { field } from '../field.js';
import type { EngineAnswer } from '../process/engine-http.js';

/** Tokens of a request. */
export interface ChatUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** One event of a streamed chat completion. */
export interface ChatChunk {
  readonly text: string;
  /** Whether the chunk has a piece of the answer, or of the reasoning before it. */
  readonly hasToken: boolean;
  readonly finishReason: string | null;
  readonly usage: ChatUsage | null;
  /** The engine's message where the request failed after the stream began. */
  readonly error: string | null;
}

/** Reads the server-sent events of a chat completion. */
export async function* readChunks(response: EngineAnswer): AsyncGenerator<ChatChunk> {
  let open = '';
  for await (const piece of response.texts()) {
    open += piece;
    const lines = open.split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) {
      const data = /^data: (\{.*\})\s*$/.exec(line)?.[1];
      if (data !== undefined) yield toChunk(JSON.parse(data));
    }
  }
}

function toChunk(value: unknown): ChatChunk {
  const choices = field(value, 'choices');
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const delta = field(choice, 'delta');
  const text = textOf(field(delta, 'content'));
  const finishReason = field(choice, 'finish_reason');
  const usage = field(value, 'usage');
  const error = field(value, 'error');
  return {
    text,
    hasToken: text !== '' || textOf(field(delta, 'reasoning_content')) !== '',
    finishReason: typeof finishReason === 'string' ? finishReason : null,
    usage:
      typeof usage === 'object' && usage !== null
        ? {
            promptTokens: Number(field(usage, 'prompt_tokens')),
            completionTokens: Number(field(usage, 'completion_tokens')),
          }
        : null,
    error: error === undefined || error === null ? null : textOf(field(error, 'message')),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
