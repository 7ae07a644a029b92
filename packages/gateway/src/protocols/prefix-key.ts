import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../json.js';

/** Characters of the conversation's start that count. Longer starts, such as system prompts of agents, differ before. */
const START_MAX = 8192;

/**
 * The instructions of Claude Code from version 2.1.36 on begin with a block such as
 * `x-anthropic-billing-header: cc_version=2.1.42.834; cc_entrypoint=cli; cch=65abc;`, whose `cch` changes with every request
 * (ggml-org/llama.cpp #19494, musistudio/claude-code-router #1220).
 */
const BILLING_MARK = 'x-anthropic-billing-header:';

/**
 * Hash of the start of a conversation: the instructions, and the messages up to the first one of the user. All requests of a
 * conversation have the same. Null where the body has no such text.
 */
export function prefixKeyOf(body: JsonObject): string | null {
  const { system, instructions, messages, input, prompt } = body;
  const start = [
    withoutBilling(system),
    instructions,
    firstTurn(messages),
    firstTurn(input),
    prompt,
  ].filter((part) => part !== undefined);
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

/** The instructions without the first block of Claude Code. */
function withoutBilling(system: unknown): unknown {
  if (!Array.isArray(system)) return system;
  const blocks: readonly unknown[] = system;
  const [first, ...others] = blocks;
  const text = isJsonObject(first) ? first['text'] : null;
  return typeof text === 'string' && text.startsWith(BILLING_MARK) ? others : system;
}

/** The turns up to the first one of the user. A text is a turn of its own. */
function firstTurn(turns: unknown): unknown {
  if (!Array.isArray(turns)) return turns;
  const list: readonly unknown[] = turns;
  const first = list.findIndex((turn) => isJsonObject(turn) && turn['role'] === 'user');
  return list.slice(0, first + 1);
}
