/** A sentence, and the list that it introduces. Plain text. */
export interface ExplainedSentence {
  readonly text: string;
  readonly items: readonly string[];
  /** Whether the order of the items means something. */
  readonly ordered: boolean;
}

/** A sentence without a list. */
export function sentence(text: string): ExplainedSentence {
  return { text, items: [], ordered: false };
}

/** The sentences as lines. The items of a list are indented, and numbered where their order means something. */
export function linesOf(sentences: readonly ExplainedSentence[]): readonly string[] {
  return sentences.flatMap(({ text, items, ordered }) => [
    text,
    ...items.map((item, index) => `  ${ordered ? `${index + 1}.` : '-'} ${item}`),
  ]);
}
