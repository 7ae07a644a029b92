import type { JsonObject } from '../json.js';
import type { RequestFacts, Usage } from './protocol.js';
import { measurePrompt } from './prompt-size.js';

/** A field that is a text; null otherwise. */
export function textOf(body: JsonObject, field: string): string | null {
  const value = body[field];
  return typeof value === 'string' ? value : null;
}

/** The first of the fields that is a number of at least 1; null where no field is. */
export function countOf(body: JsonObject, ...fields: readonly string[]): number | null {
  for (const field of fields) {
    const value = body[field];
    if (typeof value === 'number' && Number.isFinite(value) && value >= 1) return Math.floor(value);
  }
  return null;
}

/** Whether the request offers tools that the model may call. */
export function offersTools(body: JsonObject): boolean {
  const { tools, functions, tool_choice: choice } = body;
  const offered = [tools, functions].some((list) => Array.isArray(list) && list.length > 0);
  return offered && choice !== 'none';
}

const CHAT: readonly string[] = ['chat'];
const CHAT_WITH_TOOLS: readonly string[] = ['chat', 'tools'];
const CHAT_WITH_IMAGES: readonly string[] = ['chat', 'vision'];
const CHAT_WITH_BOTH: readonly string[] = ['chat', 'vision', 'tools'];

/** The capabilities of a chat with these properties. */
function chatCapabilities(images: number, tools: boolean): readonly string[] {
  if (images > 0) return tools ? CHAT_WITH_BOTH : CHAT_WITH_IMAGES;
  return tools ? CHAT_WITH_TOOLS : CHAT;
}

/** The number after the last occurrence of a key in a piece of JSON; null where the key does not occur. */
export function lastNumber(text: string, key: string): number | null {
  const quoted = `"${key}"`;
  // A search from the start is far faster, and decides for the many answers without the key.
  if (!text.includes(quoted)) return null;
  let at = skipSpace(text, text.lastIndexOf(quoted) + quoted.length);
  if (text[at] !== ':') return null;
  at = skipSpace(text, at + 1);
  // By hand, because a regular expression and the piece of text for it cost more than all other steps.
  let value = 0;
  let digits = 0;
  for (; digits < DIGITS_MAX; digits += 1) {
    const digit = text.charCodeAt(at + digits) - ZERO;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
  }
  return digits === 0 ? null : value;
}

/** The most digits that are read of a count of tokens. */
const DIGITS_MAX = 12;
const ZERO = 0x30;

/** The index of the first character from `at` on that is no space of JSON. */
function skipSpace(text: string, at: number): number {
  let next = at;
  for (;;) {
    const code = text.charCodeAt(next);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return next;
    next += 1;
  }
}

/** What the chat protocols read in different ways. */
interface ChatParts {
  /** The parts of the body that become the prompt. */
  readonly prompt: readonly unknown[];
  readonly tools: boolean;
  readonly maxOutputTokens: number | null;
  /** Default null. */
  readonly previousResponseId?: string | null;
}

/**
 * The needs of a chat.
 *
 * One literal: V8 gives an object that begins with a spread and has further fields a new hidden class each time, so that every later
 * access to its fields is a slow one, and each class survives until a full collection.
 */
export function chatFacts(
  body: JsonObject,
  { prompt, tools, maxOutputTokens, previousResponseId = null }: ChatParts,
): RequestFacts {
  const { bytes, images } = measurePrompt(prompt);
  return {
    model: textOf(body, 'model'),
    stream: body['stream'] === true,
    capabilities: chatCapabilities(images, tools),
    promptBytes: bytes,
    images,
    maxOutputTokens,
    previousResponseId,
  };
}

/** Token counts; null where an answer has neither. */
export function usageOf(promptTokens: number | null, outputTokens: number | null): Usage | null {
  return promptTokens === null && outputTokens === null ? null : { promptTokens, outputTokens };
}

/** The token counts of the last `usage` in an answer. */
export function lastUsage(tail: string, promptKey: string, outputKey: string): Usage | null {
  const at = tail.lastIndexOf('"usage"');
  if (at === -1) return null;
  const usage = tail.slice(at);
  return usageOf(lastNumber(usage, promptKey), lastNumber(usage, outputKey));
}
