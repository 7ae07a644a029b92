import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../json.js';

/** Characters of the conversation's start that count. Longer starts, such as system prompts of agents, differ before. */
const START_MAX = 8192;

/**
 * Hash of the start of a conversation: the instructions, and the messages up to the first one of the user. All requests of a
 * conversation have the same. Null where the body has no such text.
 */
export function prefixKeyOf(body: JsonObject): string | null {
  const { system, instructions, messages, input, prompt } = body;
  const start = [system, instructions, firstTurn(messages), firstTurn(input), prompt].filter(
    (part) => part !== undefined,
  );
  if (start.length === 0) return null;
  const text = startOf(start);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** The first characters of a value as a text. The rest of the value is not read. The value may be nested to any depth. */
function startOf(value: unknown): string {
  let text = '';
  const open: unknown[] = [value];
  while (open.length > 0 && text.length < START_MAX) {
    const next = open.pop();
    if (Array.isArray(next)) {
      text += '[';
      const items: readonly unknown[] = next.slice(0, START_MAX);
      open.push(...items.toReversed());
    } else if (isJsonObject(next)) {
      text += '{';
      open.push(...Object.entries(next).slice(0, START_MAX).flat().reverse());
    } else
      text += typeof next === 'string' ? JSON.stringify(next.slice(0, START_MAX)) : String(next);
  }
  return text.slice(0, START_MAX);
}

/** The turns up to the first one of the user. A text is a turn of its own. */
function firstTurn(turns: unknown): unknown {
  if (!Array.isArray(turns)) return turns;
  const list: readonly unknown[] = turns;
  const first = list.findIndex((turn) => isJsonObject(turn) && turn['role'] === 'user');
  return list.slice(0, first + 1);
}
