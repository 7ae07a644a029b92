import { z } from 'zod';

/** The schemas that the OpenAPI document lists under `components`. */
export const COMPONENTS = z.registry<{ id: string }>();

/** Gives a schema its name in the OpenAPI document. */
export function component<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  COMPONENTS.add(schema, { id });
  return schema;
}
