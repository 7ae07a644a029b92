import type { Finding } from '../diagnostics/issue.js';
import { translateZodIssue } from '../diagnostics/translate-zod-issue.js';
import { fileSchema, type ParsedFile } from '../format/file-schema.js';
import { acceptsAt, knownKeysAt, quantityAt } from './schema-at.js';

/** Checks a raw value against the schema of the file. */
export function validateFile(raw: unknown): {
  readonly value: ParsedFile | null;
  readonly findings: Finding[];
} {
  const result = fileSchema.safeParse(raw);
  if (result.success) return { value: result.data, findings: [] };
  return {
    value: null,
    findings: result.error.issues.flatMap((issue) =>
      translateZodIssue(issue, raw, {
        knownKeys: (path) => knownKeysAt(fileSchema, path),
        accepts: (path, value) => acceptsAt(fileSchema, path, value),
        quantity: (path) => quantityAt(fileSchema, path),
      }),
    ),
  };
}
