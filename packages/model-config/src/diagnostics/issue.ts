/** The kind of problem of an issue. Codes are API. */
export type ModelConfigIssueCode =
  | 'SYNTAX'
  | 'DUPLICATE_KEY'
  | 'UNKNOWN_KEY'
  | 'MISSING'
  | 'INVALID_VALUE'
  | 'UNKNOWN_REFERENCE'
  | 'DUPLICATE'
  | 'CYCLE'
  | 'CONTRADICTION';

/** One problem in a configuration. */
export interface ModelConfigIssue {
  readonly code: ModelConfigIssueCode;
  /** The path of the value: `models[2].category`. Empty for the file as a whole. */
  readonly path: string;
  /** The problem, with the value. One line without a full stop. */
  readonly message: string;
  /** How to correct the problem, in one line. */
  readonly suggestion: string | null;
  readonly file: string | null;
  /** From 1; `null` where the configuration has no text. */
  readonly line: number | null;
  /** From 1, in UTF-16 code units, as editors count. */
  readonly column: number | null;
  /** The line with its neighbours and a caret under the position; several lines of plain text. */
  readonly frame: string | null;
}

/** A step into the configuration: a key of a map or an index of a list. */
export type PathStep = string | number;

/** An issue without its position in the text. */
export interface Finding {
  readonly code: ModelConfigIssueCode;
  readonly path: readonly PathStep[];
  /** Whether the caret points at the key or the value. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly suggestion: string | null;
}

/** The finding that a value names something that does not exist, as a list of one. */
export function unknownReference(
  path: readonly PathStep[],
  message: string,
  suggestion: string | null,
): Finding[] {
  return [{ code: 'UNKNOWN_REFERENCE', path, at: 'value', message, suggestion }];
}

/** A path as text: `models[2].category`. */
export function formatPath(path: readonly PathStep[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `[${quote(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

const LONGEST_QUOTE = 60;

/** A value for a message: on one line, without control characters, cut after 60 characters. */
export function quote(value: unknown): string {
  if (value == null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  // JSON.stringify writes NaN as null.
  const written = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return written.length <= LONGEST_QUOTE ? written : `${written.slice(0, LONGEST_QUOTE - 3)}...`;
}

/** An issue as plain text of several lines: position, path and message; frame; suggestion. */
export function formatIssue(issue: ModelConfigIssue): string {
  const position = [issue.file, issue.line, issue.column].filter((part) => part !== null).join(':');
  const head = [position, issue.path].filter((part) => part !== '').join(': ');
  const first = head === '' ? issue.message : `${head}: ${issue.message}`;
  return [first, issue.frame, issue.suggestion === null ? null : `  ${issue.suggestion}`]
    .filter((part) => part !== null)
    .join('\n');
}
