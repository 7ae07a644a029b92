import { NAME_MAX_LENGTH, ONE_LINE, oneLine } from '@mai/memory-ledger';
import { z } from 'zod';

import { isHostName } from '../nats/subjects.js';

/** A message that could be read, or why it is refused. Fields that the reader does not know are left out. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Reads JSON of at most `maxBytes` bytes against a schema. Never throws. */
export function decodeJson<T>(
  data: Uint8Array,
  maxBytes: number,
  schema: z.ZodType<T>,
): Decoded<T> {
  if (data.length > maxBytes)
    return { ok: false, reason: `${data.length} bytes, and at most ${maxBytes} are read` };
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch {
    return { ok: false, reason: 'not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  // Keys of the message are part of the path, and so of what a person reads.
  const where = oneLine(issue?.path.map(String).join('.').slice(0, 100) ?? '');
  return { ok: false, reason: `${where === '' ? 'message' : where}: ${issue?.message ?? 'wrong'}` };
}

// Parts of several messages.

/** Figures of a speed outside these bounds are no measurement. Times that are worked out from figures within them are finite. */
const LEAST_FIGURE = 1e-6;
const LARGEST_FIGURE = 1e12;

export const hostName = z.string().refine(isHostName, { error: 'not the name of a host' });
export const epochText = z.string().regex(/^[0-9a-f]{16}$/, { error: 'not an epoch' });
/** A text of at most `max` characters on one line. */
export const plainText = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .refine((text) => ONE_LINE.test(text), { error: 'it has hidden characters' });
/** Model keys, instance identifiers, display names. */
export const nameText = plainText(NAME_MAX_LENGTH).min(1);
/** A sentence for a person, on one line. */
export const sentenceText = z.string().max(1000).transform(oneLine);
/** An identifier that may go into a header of HTTP. */
export const headerText = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, { error: 'not 1 to 200 visible ASCII characters' });
/** A speed or a time; 0 where it is not known. */
export const figure = z
  .number()
  .refine((value) => value === 0 || (value >= LEAST_FIGURE && value <= LARGEST_FIGURE), {
    error: `not 0, and not between ${LEAST_FIGURE} and ${LARGEST_FIGURE}`,
  });
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const ratio = z.number().min(0).max(1);
export const tokens = count.nullable();

/** An object with at most `max` keys of at most 300 characters. */
export function record<T>(
  value: z.ZodType<T>,
  max: number,
): z.ZodType<Readonly<Record<string, T>>> {
  return z
    .record(nameText, value)
    .refine((entries) => Object.keys(entries).length <= max, { error: `more than ${max} entries` });
}
