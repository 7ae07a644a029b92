import type { WorldAnswers } from '../world/world.js';
import { exampleValue } from './example-value.js';

/** A part of an answer, split into the texts of its tokens. */
export type AnswerPart =
  | { readonly type: 'reasoning' | 'text'; readonly tokens: readonly string[] }
  | { readonly type: 'toolCall'; readonly toolName: string; readonly tokens: readonly string[] };

/** A function that the model may call. */
export interface Tool {
  readonly name: string;
  /** The JSON schema of its arguments. */
  readonly parameters: unknown;
}

/** The parts of a request that determine the model's answer. */
export interface AnswerRequest {
  readonly tools: readonly Tool[];
  /** Whether a tool may or must be called. An object names the tool that must be called. */
  readonly toolChoice: 'none' | 'auto' | 'required' | { readonly name: string };
  /** Whether the last message is the result of a tool. */
  readonly hasToolResult: boolean;
  /** The JSON schema that the text must match; `null`: any text. */
  readonly schema: unknown;
  /** Whether the client allows reasoning. */
  readonly mayReason: boolean;
}

// A token is a word with the space before it.
const TEXT_TOKENS: readonly string[] =
  'Hello from the simulated model. This text stands in for an answer.'.match(/\s?\S+/g) ?? [];
const REASONING_TOKENS: readonly string[] = 'The user wants an answer.'.match(/\s?\S+/g) ?? [];

/** The answer of every prediction over WebSocket. */
export const FIXED_ANSWER: readonly AnswerPart[] = [{ type: 'text', tokens: TEXT_TOKENS }];

/** The answer of a model. The same request gets the same answer. */
export function composeAnswer(
  request: AnswerRequest,
  answers: WorldAnswers,
): readonly AnswerPart[] {
  const tool = toolToCall(request, answers);
  const reasoning: readonly AnswerPart[] =
    request.mayReason && answers.reasoningTokens > 0
      ? [{ type: 'reasoning', tokens: repeat(REASONING_TOKENS, answers.reasoningTokens) }]
      : [];
  if (tool) {
    const value = exampleValue(tool.parameters) ?? {};
    return [...reasoning, { type: 'toolCall', toolName: tool.name, tokens: splitJson(value) }];
  }
  const tokens =
    request.schema === null
      ? repeat(TEXT_TOKENS, answers.textTokens ?? TEXT_TOKENS.length)
      : splitJson(exampleValue(request.schema));
  return [...reasoning, { type: 'text', tokens }];
}

function toolToCall(
  { tools, toolChoice, hasToolResult }: AnswerRequest,
  { callTools }: WorldAnswers,
): Tool | null {
  const [first] = tools;
  if (first === undefined || toolChoice === 'none') return null;
  if (typeof toolChoice === 'object') {
    return tools.find(({ name }) => name === toolChoice.name) ?? first;
  }
  return toolChoice === 'required' || (callTools && !hasToolResult) ? first : null;
}

function repeat(tokens: readonly string[], count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const token = tokens[index % tokens.length] ?? '';
    return index > 0 && index % tokens.length === 0 ? ` ${token}` : token;
  });
}

// A token has four characters, as in `countTokens`.
function splitJson(value: unknown): readonly string[] {
  return JSON.stringify(value).match(/.{1,4}/gsu) ?? [];
}
