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
  const text = JSON.stringify(start).slice(0, START_MAX);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** The turns up to the first one of the user. A text is a turn of its own. */
function firstTurn(turns: unknown): unknown {
  if (!Array.isArray(turns)) return turns;
  const list: readonly unknown[] = turns;
  const first = list.findIndex((turn) => isJsonObject(turn) && turn['role'] === 'user');
  return list.slice(0, first + 1);
}
