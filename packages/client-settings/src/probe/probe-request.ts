import type { ServerEvent } from './server-events.js';

/** A request that a client sends, and how its answer is judged. */
export interface ProbeRequest {
  readonly title: string;
  readonly method: 'GET' | 'POST';
  /** Path and query, such as `/v1/models`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body. Null: no body. */
  readonly body: object | null;
  readonly answer: AnswerCheck;
}

/** Judges an answer. Returns a short text about the answer, and throws an error if the client could not use the answer. */
export type AnswerCheck =
  | { readonly kind: 'json'; readonly check: (body: unknown) => string }
  | { readonly kind: 'stream'; readonly check: (events: readonly ServerEvent[]) => string };

/** The headers of a request with a JSON body. */
export function jsonHeaders(
  apiKey: string,
  agent: string,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/json',
    'user-agent': agent,
    ...more,
  };
}

/** Text of a question that models answer with a few tokens. */
export const QUESTION = 'Answer with the single word ready.';

/** JSON Schema of the parameters of the tool that requests offer. */
export const TOOL_PARAMETERS = {
  type: 'object',
  properties: { path: { type: 'string', description: 'Path of the file' } },
  required: ['path'],
} as const;
