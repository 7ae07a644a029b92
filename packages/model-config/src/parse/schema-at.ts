import * as z from 'zod/mini';
import type { PathStep } from '../diagnostics/issue.js';
import { quantities, type Quantity } from '../format/field-types.js';

/** The keys that the schema allows in a map at `path`; empty where the schema allows any key. */
export function knownKeysAt(schema: z.core.$ZodType, path: readonly PathStep[]): readonly string[] {
  return schemasAt(schema, path).flatMap((found) =>
    unwrap(found).flatMap((inner) =>
      inner instanceof z.ZodMiniObject ? Object.keys(inner.shape) : [],
    ),
  );
}

/** Whether the value is valid at `path`. `undefined` is valid where the field may be left out. */
export function acceptsAt(
  schema: z.core.$ZodType,
  path: readonly PathStep[],
  value: unknown,
): boolean {
  return schemasAt(schema, path).some((found) => z.safeParse(found, value).success);
}

/** The quantity that the text at `path` states; `null` for any other value. */
export function quantityAt(schema: z.core.$ZodType, path: readonly PathStep[]): Quantity | null {
  const found = schemasAt(schema, path).flatMap(unwrap);
  return found.flatMap((inner) => quantities.get(inner)?.quantity ?? [])[0] ?? null;
}

/** The schemas of the value at `path`. There are several where `path` leads through a union. */
function schemasAt(schema: z.core.$ZodType, path: readonly PathStep[]): readonly z.core.$ZodType[] {
  const [step, ...rest] = path;
  if (step === undefined) return [schema];
  return unwrap(schema).flatMap((inner) => {
    if (inner instanceof z.ZodMiniObject) {
      const field = inner.shape[String(step)];
      return field === undefined ? [] : schemasAt(field, rest);
    }
    if (inner instanceof z.ZodMiniArray) return schemasAt(inner.def.element, rest);
    if (inner instanceof z.ZodMiniRecord) return schemasAt(inner.def.valueType, rest);
    return [];
  });
}

/** The schema without `optional`, or the members of a union. */
function unwrap(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodMiniOptional) return unwrap(schema.def.innerType);
  if (schema instanceof z.ZodMiniUnion) return schema.def.options.flatMap(unwrap);
  return [schema];
}
