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
  const where = issue?.path.map(String).join('.').slice(0, 100) ?? '';
  return { ok: false, reason: `${where === '' ? 'message' : where}: ${issue?.message ?? 'wrong'}` };
}

// Parts of several messages.

export const hostName = z.string().refine(isHostName, { error: 'not the name of a host' });
export const epochText = z.string().regex(/^[0-9a-f]{16}$/, { error: 'not an epoch' });
/** Model keys, instance identifiers, display names. */
export const nameText = z.string().min(1).max(300);
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
