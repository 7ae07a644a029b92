import * as z from 'zod/mini';
import { fieldDocs } from './field-types.js';
import { fileSchema } from './file-schema.js';

/** The JSON Schema (draft 7) of the file format, generated from the schema that validates. */
export function modelConfigJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(fileSchema, {
    metadata: fieldDocs,
    target: 'draft-7',
  });
  return {
    $schema,
    title: 'Mai model configuration',
    description:
      'models.yaml: which models there are, in which order to prefer them, and when to switch.',
    ...rest,
  };
}
