import type * as z from 'zod/mini';
import type { PathStep } from '../diagnostics/issue.js';

/** The keys that a map at `path` may have, read off the schema itself; empty where any may be there. */
export function knownKeysAt(schema: z.core.$ZodType, path: readonly PathStep[]): readonly string[] {
  const { def } = schema._zod as { def: z.core.$ZodTypes['_zod']['def'] };
  const [step, ...rest] = path;
  switch (def.type) {
    case 'optional':
      return knownKeysAt(def.innerType, path);
    case 'object': {
      if (step === undefined) return Object.keys(def.shape);
      const inner = def.shape[String(step)];
      return inner === undefined ? [] : knownKeysAt(inner, rest);
    }
    case 'array':
      return step === undefined ? [] : knownKeysAt(def.element, rest);
    case 'record':
      return step === undefined ? [] : knownKeysAt(def.valueType, rest);
    case 'union':
      return def.options.flatMap((option) => knownKeysAt(option, path));
    default:
      return [];
  }
}
