import type { Finding, PathStep } from '../diagnostics/issue.js';
import { translateZodIssue } from '../diagnostics/translate-zod-issue.js';
import { fileSchema, type ParsedFile } from '../format/file-schema.js';
import { knownKeysAt } from './known-keys.js';

/** Checks a raw value against the schema of the file. */
export function validateFile(raw: unknown): {
  readonly value: ParsedFile | null;
  readonly findings: Finding[];
} {
  const result = fileSchema.safeParse(raw);
  if (result.success) return { value: result.data, findings: [] };
  const known = (path: readonly PathStep[]): readonly string[] => knownKeysAt(fileSchema, path);
  return {
    value: null,
    findings: result.error.issues.flatMap((issue) => translateZodIssue(issue, raw, known)),
  };
}
