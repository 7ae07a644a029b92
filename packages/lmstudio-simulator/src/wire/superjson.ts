// The little of superjson that LM Studio's endpoints need: a Map with string keys, and no parameter.

/** A Map as superjson writes it. */
export function serializeMap(map: ReadonlyMap<string, unknown>): object {
  return { json: [...map], meta: { values: ['map'], v: 1 } };
}
