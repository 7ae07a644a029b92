/**
 * The tokens of an image in a prompt. Assumed: real vision models take some hundred tokens, and the number differs
 * from model to model.
 */
const TOKENS_PER_IMAGE = 256;

/** The number of tokens of a text: one for each four characters, a rule of thumb for English. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** The number of tokens of a prompt: those of its text and of its images. */
export function countPromptTokens(prompt: {
  readonly prompt: string;
  readonly imageCount: number;
}): number {
  return countTokens(prompt.prompt) + prompt.imageCount * TOKENS_PER_IMAGE;
}

/** Stable numbers that stand for tokens, as many as `countTokens` counts. */
export function tokenize(text: string): readonly number[] {
  return Array.from({ length: countTokens(text) }, (_, index) =>
    [...text.slice(index * 4, index * 4 + 4)].reduce(
      (hash, character) => (hash * 31 + (character.codePointAt(0) ?? 0)) % 30_000,
      7,
    ),
  );
}
