import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseTrace, type TraceIssue, type TraceRow } from '@mai/simulation';
import { codeOf } from '../../exit-codes.js';
import type { CommandContext } from '../../context.js';
import { UsageError } from '../../usage-error.js';

const MOST_ISSUES = 10;

/** Reads a trace. A malformed trace throws a `UsageError` with the lines of up to ten mistakes. */
export async function readTrace(
  name: string,
  { io, output, signal }: CommandContext,
): Promise<readonly TraceRow[]> {
  const { rows, issues, warnings } = await parseTrace(await readText(name, io.cwd), { signal });
  for (const line of describe(name, warnings)) output.warn(line);
  if (issues === null) return rows;
  throw new UsageError(
    [`${name} is not a trace of a machine.`, ...describe(name, issues)].join('\n'),
  );
}

function describe(name: string, issues: readonly TraceIssue[]): readonly string[] {
  const shown = issues
    .slice(0, MOST_ISSUES)
    .map(({ line, message }) => `${name}:${line}: ${message}`);
  const more = issues.length - shown.length;
  return more > 0 ? [...shown, `... and ${more} more.`] : shown;
}

async function readText(name: string, cwd: string): Promise<string> {
  const file = path.resolve(cwd, name);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = codeOf(error) ?? 'unknown error';
    const what =
      code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code}).`;
    throw new UsageError(`${what} Check the path after --trace.`, { cause: error });
  }
}
