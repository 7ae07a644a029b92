import { setImmediate } from 'node:timers/promises';
import type { Complaints } from './read-fields.js';
import { readTraceRow } from './read-trace-row.js';
import type { TraceRow } from './trace.js';

/** The event loop turns after this many lines, so that signals of the process are handled. */
const LINES_PER_TURN = 1024;

/** A problem with a line of a trace. */
export interface TraceIssue {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly message: string;
}

/** The rows of a trace, or every reason why it cannot be used. */
export type ParsedTrace = (
  | { readonly rows: readonly TraceRow[]; readonly issues: null }
  | { readonly rows: null; readonly issues: readonly TraceIssue[] }
) & {
  /** Unknown fields, which are ignored, and values that seem to have another unit. */
  readonly warnings: readonly TraceIssue[];
};

/**
 * Reads a trace with one JSON object a line; see `TraceRow`. Fields that are left out have the values of the
 * row before. Empty lines are skipped.
 *
 * @throws the signal's reason when it fires.
 */
export async function parseTrace(
  text: string,
  { signal = null }: { readonly signal?: AbortSignal | null } = {},
): Promise<ParsedTrace> {
  const rows: TraceRow[] = [];
  const issues: TraceIssue[] = [];
  const warnings: TraceIssue[] = [];
  // Some editors begin a file with a byte order mark, which JSON.parse refuses.
  for (const [index, source] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (index % LINES_PER_TURN === 0) await setImmediate();
    signal?.throwIfAborted();
    if (source.trim() === '') continue;
    // Later rows inherit from the first row. Without that row, each of them would be reported as incomplete.
    if (rows.length === 0 && issues.length > 0) break;
    const line = index + 1;
    const complaints: Complaints = {
      fail: (message) => void issues.push({ line, message }),
      warn: (message) => void warnings.push({ line, message }),
    };
    let value: unknown;
    try {
      value = JSON.parse(source);
    } catch (error) {
      complaints.fail(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    const row = readTraceRow(value, rows[rows.length - 1] ?? null, complaints);
    if (row !== null) rows.push(row);
  }
  if (issues.length === 0 && rows.length < 2) {
    issues.push({ line: 1, message: 'a trace needs at least a first and a last row' });
  }
  return issues.length === 0 ? { rows, issues: null, warnings } : { rows: null, issues, warnings };
}
