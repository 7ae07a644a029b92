import { parseDocument, type Document, type YAMLError, type YAMLWarning } from 'yaml';
import { withBuiltInModels } from '../built-in/with-built-in-models.js';
import { checkContradictions } from '../diagnostics/check-contradictions.js';
import { checkReferences } from '../diagnostics/check-references.js';
import {
  codeFrame,
  divideIntoLines,
  positionAt,
  type SourceLines,
} from '../diagnostics/code-frame.js';
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
  const lines = divideIntoLines(text);
  const { document, issues, data } = readYaml(lines, file);
  if (data !== undefined) {
    const { value, findings } = validateFile(data);
    const all = [
      ...findings,
      ...checkReferences(withBuiltInModels(data)),
      ...checkContradictions(data),
    ];
    if (value !== null && all.length === 0 && issues.length === 0) {
      return { data: value, issues: [] };
    }
    issues.push(...all.map((finding) => toIssue(finding, lines, file, locate(document, finding))));
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

function readYaml(lines: SourceLines, file: string | null): ReadYaml {
  const document = parseDocument(lines.source, {
    prettyErrors: false,
    // Without this option the parser prints warnings, for example about keys that are reported as unknown
    // here.
    logLevel: 'error',
    // Without this option the parser accepts `!!binary`, `!!omap`, `!!set` and `!!timestamp`. No field has
    // such a value.
    resolveKnownTags: false,
    strict: true,
    version: '1.2',
  });
  // The parser reports warnings, not errors, for tags and directives that it ignores.
  const all = [...document.errors, ...document.warnings];
  const tooDeep = all.filter(({ code }) => code === 'RESOURCE_EXHAUSTION');
  // If the nesting is too deep, the parser stops, reports this once or more (depending on Node's stack), and also reports
  // each open bracket. Only the first report is kept.
  const faults = tooDeep.length > 0 ? tooDeep.slice(0, 1) : all;
  // The parser reports the same error once for each bracket that stays open.
  const distinct = new Map(faults.map((fault) => [`${fault.pos[0]} ${fault.message}`, fault]));
  const issues = [...distinct.values()].map((fault) => syntaxIssue(fault, lines, file));
  // A document with duplicate keys can still be checked. After any other fault its content is not
  // reliable.
  if (faults.some(({ code }) => code !== 'DUPLICATE_KEY')) {
    return { document, issues, data: undefined };
  }
  const refused = (finding: Omit<Finding, 'path' | 'at'>, range: TextRange): ReadYaml => ({
    document,
    issues: [...issues, toIssue({ ...finding, path: [], at: 'value' }, lines, file, range)],
    data: undefined,
  });
  if (document.contents === null) {
    return refused(
      {
        code: 'MISSING',
        message: 'the configuration is empty',
        suggestion: 'begin with version: 1',
      },
      { start: 0, end: 0 },
    );
  }
  try {
    const data: unknown = document.toJS({ maxAliasCount: 100 });
    return { document, issues, data };
  } catch (error) {
    if (error instanceof RangeError) return refused(TOO_DEEP, { start: 0, end: 0 });
    // The parser throws for an alias without an anchor, and for aliases of aliases that would grow without
    // bound.
    const message = error instanceof Error ? error.message.split('\n', 1).join('') : String(error);
    const alias = /before the alias\): (\S+)/.exec(message)?.[1];
    const grown = EXHAUSTING.test(message)
      ? 'aliases of aliases would make this file too large to be read'
      : message;
    const start = alias === undefined ? 0 : Math.max(0, lines.source.indexOf(`*${alias}`));
    return refused(
      {
        code: 'SYNTAX',
        message: alias === undefined ? grown : `there is no anchor &${alias} before this alias`,
        suggestion: 'write the section out instead of an alias',
      },
      { start, end: start + (alias?.length ?? 0) + 1 },
    );
  }
}

/** The parser's message where aliases of aliases would grow without bound. */
const EXHAUSTING = /excessive alias count/i;

const TOO_DEEP = {
  code: 'SYNTAX',
  message: 'lists and maps are nested too deeply to be read',
  suggestion: 'a models.yaml needs at most 6 levels. Is an indentation or a bracket wrong?',
} as const;

const SYNTAX_ADVICE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'align this line with its siblings',
  MULTILINE_IMPLICIT_KEY: 'is a colon or a closing bracket missing before this?',
  MISSING_CHAR: 'is a bracket, a quote or a comma missing before this?',
  BAD_DIRECTIVE: 'remove this line',
  UNEXPECTED_TOKEN: 'text with : # [ ] { } or a leading @ or ` needs quotes',
};

/** The tags of YAML's core schema. */
const KNOWN_TAG = /^!!(?:bool|float|int|map|null|seq|str)$/;

function syntaxIssue(
  error: YAMLError | YAMLWarning,
  lines: SourceLines,
  file: string | null,
): ModelConfigIssue {
  const { source: text } = lines;
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
      lines,
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
    case 'TAG_RESOLVE_FAILED': {
      const tag = text.slice(...error.pos);
      return place(
        KNOWN_TAG.test(tag)
          ? `the tag ${quote(tag)} does not fit this value`
          : `unknown tag ${quote(tag)}`,
        'remove the tag',
        error.pos[1],
      );
    }
    case 'RESOURCE_EXHAUSTION':
      return place(TOO_DEEP.message, TOO_DEEP.suggestion, error.pos[1]);
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
  lines: SourceLines,
  file: string | null,
  range: TextRange,
): ModelConfigIssue {
  return {
    code: finding.code,
    path: formatPath(finding.path),
    message: finding.message,
    suggestion: finding.suggestion,
    file,
    ...positionAt(lines, range.start),
    frame: codeFrame(lines, range.start, range.end),
  };
}
