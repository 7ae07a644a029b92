import { parseDocument, type Document, type YAMLError } from 'yaml';
import { checkContradictions } from '../diagnostics/check-contradictions.js';
import { checkReferences } from '../diagnostics/check-references.js';
import { codeFrame, positionAt } from '../diagnostics/code-frame.js';
import { type Finding, formatPath, type ModelConfigIssue, quote } from '../diagnostics/issue.js';
import { locate, type TextRange } from '../diagnostics/locate.js';
import type { ModelConfig } from '../model-config.js';
import type { ModelConfigFile } from '../format/model-config-file.js';
import { toModelConfig } from './to-model-config.js';
import { validateFile } from './validate-file.js';

/** A configuration, or all issues of the text. */
export type ParseResult =
  | { readonly config: ModelConfig; readonly issues: readonly [] }
  | { readonly config: null; readonly issues: readonly ModelConfigIssue[] };

/** See `parseModelConfig` in lazy.ts. */
export function parseModelConfig(
  text: string,
  options: { readonly file?: string | null } = {},
): ParseResult {
  const { data, issues } = readModelConfigFile(text, options);
  return data === null ? { config: null, issues } : { config: toModelConfig(data), issues: [] };
}

/** The content of a valid file before any conversion, or all issues of the text. */
export function readModelConfigFile(
  text: string,
  options: { readonly file?: string | null } = {},
):
  | { readonly data: ModelConfigFile; readonly issues: readonly [] }
  | { readonly data: null; readonly issues: readonly ModelConfigIssue[] } {
  const file = options.file ?? null;
  const { document, issues, data } = readYaml(text, file);
  if (data !== undefined) {
    const { value, findings } = validateFile(data);
    const all = [...findings, ...checkReferences(data), ...checkContradictions(data)];
    if (value !== null && all.length === 0 && issues.length === 0) {
      return { data: value, issues: [] };
    }
    issues.push(...all.map((finding) => toIssue(finding, text, file, locate(document, finding))));
  }
  issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return { data: null, issues };
}

interface ReadYaml {
  readonly document: Document;
  readonly issues: ModelConfigIssue[];
  /** `undefined` where the YAML is too broken to check its content. */
  readonly data: unknown;
}

function readYaml(text: string, file: string | null): ReadYaml {
  const document = parseDocument(text, {
    prettyErrors: false,
    // Without this option, the parser prints warnings about keys that are reported as unknown
    // anyway.
    logLevel: 'error',
    strict: true,
    version: '1.2',
  });
  // The parser reports the same error once for each bracket that stays open.
  const issues = document.errors
    .filter(
      ({ message, pos }, index, all) =>
        all.findIndex((one) => one.message === message && one.pos[0] === pos[0]) === index,
    )
    .map((error) => syntaxIssue(error, text, file));
  // A document with duplicate keys can still be checked. After any other error its content is not
  // reliable.
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) {
    return { document, issues, data: undefined };
  }
  if (document.contents === null) {
    const finding: Finding = {
      code: 'MISSING',
      path: [],
      at: 'value',
      message: 'the configuration is empty',
      suggestion: 'begin with version: 1, followed by models:',
    };
    return {
      document,
      issues: [toIssue(finding, text, file, { start: 0, end: 0 })],
      data: undefined,
    };
  }
  try {
    return { document, issues, data: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch (error) {
    // Finds aliases without an anchor, and aliases of aliases that would grow without bound.
    const message = error instanceof Error ? error.message.split('\n', 1).join('') : String(error);
    const alias = /before the alias\): (\S+)/.exec(message)?.[1];
    const start = alias === undefined ? 0 : Math.max(0, text.indexOf(`*${alias}`));
    const finding: Finding = {
      code: 'SYNTAX',
      path: [],
      at: 'value',
      message: alias === undefined ? message : `there is no anchor &${alias} before this alias`,
      suggestion: 'write the section out instead of an alias',
    };
    return {
      document,
      issues: [
        ...issues,
        toIssue(finding, text, file, { start, end: start + (alias?.length ?? 0) + 1 }),
      ],
      data: undefined,
    };
  }
}

const SYNTAX_ADVICE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'line it up with its siblings',
  MULTILINE_IMPLICIT_KEY: 'is a colon or a closing bracket missing before this?',
  MISSING_CHAR: 'is a bracket, a quote or a comma missing before this?',
  UNEXPECTED_TOKEN: 'text with : # [ ] { } or a leading @ or ` needs quotes',
};

function syntaxIssue(error: YAMLError, text: string, file: string | null): ModelConfigIssue {
  const start = Math.min(error.pos[0], text.length);
  const place = (message: string, suggestion: string | null, end: number): ModelConfigIssue =>
    toIssue(
      {
        code: error.code === 'DUPLICATE_KEY' ? 'DUPLICATE_KEY' : 'SYNTAX',
        path: [],
        at: 'value',
        message,
        suggestion,
      },
      text,
      file,
      { start, end: Math.max(start + 1, end) },
    );
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const key = /^(?:"[^"]*"|'[^']*'|[^\s:]+)/.exec(text.slice(start))?.[0] ?? '';
      return place(
        `the key ${quote(key)} is in this map twice`,
        'keep one of them',
        start + key.length,
      );
    }
    case 'MULTIPLE_DOCS':
      return place(
        'a second document begins here',
        'keep one document, and remove the line with ---',
        start + 3,
      );
    default:
      return place(
        (error.message.split('\n', 1)[0] ?? error.code).replace(/\.$/, ''),
        SYNTAX_ADVICE[error.code] ?? null,
        error.pos[1],
      );
  }
}

function toIssue(
  finding: Finding,
  text: string,
  file: string | null,
  range: TextRange,
): ModelConfigIssue {
  return {
    code: finding.code,
    path: formatPath(finding.path),
    message: finding.message,
    suggestion: finding.suggestion,
    file,
    ...positionAt(text, range.start),
    frame: codeFrame(text, range.start, range.end),
  };
}
