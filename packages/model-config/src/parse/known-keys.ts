import * as z from 'zod/mini';
import type { PathStep } from '../diagnostics/issue.js';

/** The keys that the schema allows in a map at `path`; empty where it allows any. */
export function knownKeysAt(schema: z.core.$ZodType, path: readonly PathStep[]): readonly string[] {
  const [step, ...rest] = path;
  if (schema instanceof z.ZodMiniOptional) return knownKeysAt(schema.def.innerType, path);
  if (schema instanceof z.ZodMiniUnion) {
    return schema.def.options.flatMap((option) => knownKeysAt(option, path));
  }
  if (schema instanceof z.ZodMiniObject) {
    if (step === undefined) return Object.keys(schema.shape);
    const inner = schema.shape[String(step)];
    return inner === undefined ? [] : knownKeysAt(inner, rest);
  }
  if (step === undefined) return [];
  if (schema instanceof z.ZodMiniArray) return knownKeysAt(schema.def.element, rest);
  if (schema instanceof z.ZodMiniRecord) return knownKeysAt(schema.def.valueType, rest);
  return [];
}
