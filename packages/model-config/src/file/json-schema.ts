import * as z from 'zod/mini';
import { fieldDocs, fileSchema } from './file-schema.js';

/** The JSON Schema of the file format, as `schema.json` holds it: generated, never written by hand. */
export function modelConfigJsonSchema(): Record<string, unknown> {
  const generated = z.toJSONSchema(fileSchema, { metadata: fieldDocs, target: 'draft-7' });
  const { $schema, ...rest } = generated as Record<string, unknown>;
  return {
    $schema,
    title: 'Mai model configuration',
    description:
      'models.yaml: which models there are, in which order to prefer them, when to switch.',
    ...rest,
  };
}
