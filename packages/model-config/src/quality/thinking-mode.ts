import type { KnownModel, NamedModel } from './model-facts.js';

const THINKING = /think|reason|\br1\b|qwq|magistral|gpt-oss/i;
const NON_THINKING = /non-?(reasoning|thinking)|no-?think/i;

/**
 * Makers who publish a thinking model and one that never thinks call the second one `Instruct`. LM Studio leaves
 * this word out of its keys: `qwen/qwen3-4b-2507` is Qwen3-4B-Instruct-2507. The lines of Qwen3 in this pattern have such pairs.
 */
const INSTRUCT = /instruct|qwen-?3(?!\.).*(2507|coder|-vl|-next)/i;

/**
 * Whether a model thinks before it answers. The names count first, because they name the file. `both`: it can
 * do either. `null`: not known.
 */
export function thinkingMode({ names, reasoning }: NamedModel): boolean | 'both' | null {
  if (names.some(isThinkingName)) return true;
  if (typeof reasoning === 'boolean') return reasoning;
  return names.some((name) => NON_THINKING.test(name) || INSTRUCT.test(name)) ? false : reasoning;
}

/** Whether the published results of a model are those of a mode that thinks. */
export function isThinkingResult({ name, reasoning }: KnownModel): boolean {
  return reasoning || isThinkingName(name);
}

function isThinkingName(name: string): boolean {
  return THINKING.test(name) && !NON_THINKING.test(name);
}
