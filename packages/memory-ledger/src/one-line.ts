/**
 * The inside of a character class: control characters, surrogates without their partner, line and paragraph separators, and marks
 * that change the direction of the text around them.
 */
const UNSAFE = String.raw`\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069`;

/**
 * Text that is safe to show on one line. Names and other texts come from people, programs and other machines, and are shown in
 * terminals, pages, logs and headers. There an unsafe character could break the line, forge another one, or make the text read
 * differently. Letters of every script are allowed, also of those that are written from right to left. The pattern is a part of the
 * gateway's API.
 */
export const ONE_LINE = new RegExp(`^[^${UNSAFE}]*$`, 'u');
const UNSAFE_RUN = new RegExp(`[${UNSAFE}]+`, 'gu');

/** The text with a blank in place of each run of unsafe characters. The result matches `ONE_LINE`. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE_RUN, ' ');
}

/** Longest name of a model, an instance or a yield, in UTF-16 code units. */
export const NAME_MAX_LENGTH = 300;

/** Whether a text can be the name of a model, an instance or a yield: 1 to `NAME_MAX_LENGTH` code units of `ONE_LINE`. */
export function isName(text: string): boolean {
  return text.length > 0 && text.length <= NAME_MAX_LENGTH && ONE_LINE.test(text);
}
