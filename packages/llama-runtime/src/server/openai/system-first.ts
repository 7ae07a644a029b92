import { isArray, type JsonObject } from '../json.js';

/**
 * Puts system text where every chat template takes it: one system message, at the start.
 *
 * Agents send more than that. Codex begins with `instructions` and a developer message. Claude Code (from 2.1.154 on) adds
 * system messages between the turns. Many templates drop such messages, or refuse them (Qwen 3.5: "System message must be at
 * the beginning").
 *
 * - The system messages before the first other message become one.
 * - A later one becomes text of the user at the same place, within `<system-reminder>`, the form in which Claude Code itself
 *   sends these texts to models that take no later system message. It does not move to the start: then each new one would change
 *   the start of the prompt, and the engine would read the whole conversation again.
 * - It is joined with a user message beside it, because some templates refuse two messages of the user in a row.
 */
export function withSystemFirst(messages: readonly JsonObject[]): readonly JsonObject[] {
  const placed: JsonObject[] = [];
  let endsWithReminder = false;
  for (const message of messages) {
    const last = placed.at(-1);
    const isSystem = message['role'] === 'system';
    const isLeading = placed.every(({ role }) => role === 'system');
    const isReminder = isSystem && !isLeading;
    const next = isReminder ? { role: 'user', content: reminderOf(message['content']) } : message;
    const joins =
      last !== undefined &&
      last['role'] === next['role'] &&
      (isSystem || (endsWithReminder && next['role'] === 'user'));
    if (joins) {
      placed[placed.length - 1] = { ...last, content: joined(last['content'], next['content']) };
    } else {
      placed.push(next);
    }
    endsWithReminder = isReminder;
  }
  return placed;
}

/** A text, or parts whose texts hold the places of images. */
function partsOf(content: unknown): readonly unknown[] {
  return isArray(content) ? content : [{ type: 'text', text: content }];
}

function joined(first: unknown, second: unknown): unknown {
  if (typeof first === 'string' && typeof second === 'string') return `${first}\n\n${second}`;
  return [...partsOf(first), ...partsOf(second)];
}

function reminderOf(content: unknown): unknown {
  const [start, end] = ['<system-reminder>\n', '\n</system-reminder>'];
  if (typeof content === 'string') return `${start}${content}${end}`;
  return [{ type: 'text', text: start }, ...partsOf(content), { type: 'text', text: end }];
}
