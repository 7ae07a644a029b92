import { ONE_LINE } from '@mai/memory-ledger';
import { z } from 'zod';

/** A text that a client sends. Every text of a request has this schema, or a stricter one. */
export function textOf(most: number): z.ZodString {
  return z
    .string()
    .max(most)
    .regex(ONE_LINE, 'must be one line of text, without control characters');
}
