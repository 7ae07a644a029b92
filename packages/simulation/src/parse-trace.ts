import type { Complaints } from './read-trace-event.js';
import { readTraceRow } from './read-trace-row.js';
import type { TraceRow } from './trace.js';

/** What is wrong with a trace: a line (from 1) and a sentence. */
export interface TraceIssue {
  readonly line: number;
  readonly message: string;
}

/** A trace, or everything that is wrong with it. */
export type ParsedTrace = (
  | { readonly rows: readonly TraceRow[]; readonly issues: null }
  | { readonly rows: null; readonly issues: readonly TraceIssue[] }
) & {
  /** What is passed over, and most likely misspelt. */
  readonly warnings: readonly TraceIssue[];
};

/** Reads a trace in JSON lines. Fields that are left out hold what the row before had. */
export function parseTrace(text: string): ParsedTrace {
  const rows: TraceRow[] = [];
  const issues: TraceIssue[] = [];
  const warnings: TraceIssue[] = [];
  // Some editors put a mark of the byte order before the text, which is no JSON.
  for (const [index, source] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (source.trim() === '') continue;
    // What the first row says holds for those after it: without it nothing can be said of them.
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
    issues.push({ line: 1, message: 'a trace has at least a first and a last row' });
  }
  return issues.length === 0 ? { rows, issues: null, warnings } : { rows: null, issues, warnings };
}
