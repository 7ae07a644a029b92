import { readTraceRow } from './read-trace-row.js';
import type { TraceRow } from './trace.js';

/** What is wrong with a trace: a line (from 1) and a sentence. */
export interface TraceIssue {
  readonly line: number;
  readonly message: string;
}

/** A trace, or everything that is wrong with it. */
export type ParsedTrace =
  | { readonly rows: readonly TraceRow[]; readonly issues: null }
  | { readonly rows: null; readonly issues: readonly TraceIssue[] };

/** Reads a trace in JSON lines. Fields that are left out hold what the row before had. */
export function parseTrace(text: string): ParsedTrace {
  const rows: TraceRow[] = [];
  const issues: TraceIssue[] = [];
  text.split('\n').forEach((source, index) => {
    if (source.trim() === '') return;
    const line = index + 1;
    const complain = (message: string): void => {
      issues.push({ line, message });
    };
    let value: unknown;
    try {
      value = JSON.parse(source);
    } catch (error) {
      complain(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    const row = readTraceRow(value, rows[rows.length - 1] ?? null, complain);
    if (row !== null) rows.push(row);
  });
  if (issues.length === 0 && rows.length < 2) {
    issues.push({ line: 1, message: 'a trace has at least a first and a last row' });
  }
  return issues.length === 0 ? { rows, issues: null } : { rows: null, issues };
}
