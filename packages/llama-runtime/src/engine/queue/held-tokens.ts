import type { LlamaContext } from '../llama-door.js';

/** What the cells of a slot hold. */
export interface HeldTokens {
  /** The tokens whose cells come first. */
  readonly ids: Int32Array;
  /** The answer whose cells follow; null where it is not known. */
  readonly answer: HeldAnswer | null;
}

/** An answer as the binding reports it: as text, without the numbers of its tokens. */
interface HeldAnswer {
  readonly text: string;
  readonly tokens: number;
  /** The text of each report. A character of several tokens makes one report. */
  readonly pieces: readonly string[];
}

/** Stands in a text for bytes that are no character. Different bytes have this same text, so it does not tell the token. */
const NO_CHARACTER = '\ufffd';

export function heldTokens(ids: Int32Array, answer: HeldAnswer | null = null): HeldTokens {
  return { ids, answer };
}

/**
 * Finds the tokens of the last answer in a prompt that continues it: those whose text is the answer's, token by token. So the
 * next turn of a conversation does not compute the last answer again, and a model with a sliding window keeps its cache after
 * an answer of any length: only the last cells of the window are needed behind the answer.
 *
 * A tokenizer may divide a text otherwise than the model has generated it. The cells then hold the same text in other tokens.
 *
 * @returns the same object where the prompt does not continue the answer
 */
export async function recognizeAnswer(
  held: HeldTokens,
  promptIds: Int32Array,
  { detokenize }: { readonly detokenize: LlamaContext['detokenize'] },
): Promise<HeldTokens> {
  const { ids, answer } = held;
  if (answer === null || !startsWith(promptIds, ids)) return held;
  const textOf = (tokens: number): Promise<string> =>
    detokenize([...promptIds.subarray(ids.length, ids.length + tokens)]);
  const next = await textOf(answer.tokens);
  const same = tokensOfSameText(answer, next);
  // A different division of the text has as many characters in another number of tokens.
  const isSame =
    same.text === next || (same.tokens > 0 && (await textOf(same.tokens)) === same.text);
  // The last token of an answer has no cells: it was not computed.
  const known = Math.min(isSame ? same.tokens : 0, answer.tokens - 1);
  return known <= 0 ? held : heldTokens(promptIds.slice(0, ids.length + known));
}

/** The tokens at the start of an answer whose text is the start of `next`. */
function tokensOfSameText(
  { text, tokens, pieces }: HeldAnswer,
  next: string,
): { readonly tokens: number; readonly text: string } {
  if (text === next && !text.includes(NO_CHARACTER)) return { tokens, text };
  let same = '';
  // Where a report stands for several tokens, the tokens of a part of the answer cannot be counted.
  if (pieces.length !== tokens) return { tokens: 0, text: same };
  for (const [index, piece] of pieces.entries()) {
    const isSame = next.startsWith(piece, same.length) && !piece.includes(NO_CHARACTER);
    if (!isSame) return { tokens: index, text: same };
    same += piece;
  }
  return { tokens, text: same };
}

function startsWith(ids: Int32Array, start: Int32Array): boolean {
  return ids.length > start.length && start.every((id, index) => ids[index] === id);
}
