import { z } from 'zod';

/**
 * One line of text that says what it shows. Texts of requests are shown on the page and in terminals, and stand in messages and logs.
 * Without control characters, line separators, halves of characters, and marks that change the order of the text around them. Letters
 * of every script are allowed, also those that are written from right to left.
 */
const ONE_LINE = /^[^\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]*$/u;

/** A text that a client sends. Every text of a request has this schema, or a stricter one. */
export function textOf(most: number): z.ZodString {
  return z
    .string()
    .max(most)
    .regex(ONE_LINE, 'must be one line of text, without control characters');
}
