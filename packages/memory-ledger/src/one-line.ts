/**
 * One line of text that says what it shows: without control characters, line separators, halves of characters, and marks that change
 * the order of the text around them. Names and other texts of people, programs and other machines are shown in terminals, on pages, in
 * logs and in headers, where such a character could forge a line or break it. Letters of every script are allowed, also those that are
 * written from right to left. The pattern is a part of the gateway's API.
 */
export const ONE_LINE = /^[^\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]*$/u;
const OTHERS = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]+/gu;

/** The text as `ONE_LINE`: a blank stands for each run of other characters. */
export function oneLine(text: string): string {
  return text.replace(OTHERS, ' ');
}

/** Longest name of a model, an instance or a yield, in UTF-16 code units. */
export const NAME_MAX_LENGTH = 300;

/** Whether a text can be the name of a model, an instance or a yield: 1 to `NAME_MAX_LENGTH` code units of `ONE_LINE`. */
export function isName(text: string): boolean {
  return text.length > 0 && text.length <= NAME_MAX_LENGTH && ONE_LINE.test(text);
}
