import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TraceRow } from '@mai/autopilot';
import { parseTrace } from '@mai/autopilot';
import { UsageError } from '../usage-error.js';

const MOST_ISSUES = 10;

/** Reads a trace. @throws UsageError that names the file and the line of every mistake. */
export async function readTrace(name: string, cwd: string): Promise<readonly TraceRow[]> {
  const { rows, issues } = parseTrace(await readText(name, cwd));
  if (issues === null) return rows;
  const shown = issues
    .slice(0, MOST_ISSUES)
    .map(({ line, message }) => `${name}:${line}: ${message}`);
  const more = issues.length - shown.length;
  throw new UsageError(
    [
      `${name} is no trace of a machine.`,
      ...shown,
      ...(more > 0 ? [`... and ${more} more.`] : []),
    ].join('\n'),
  );
}

async function readText(name: string, cwd: string): Promise<string> {
  const file = path.resolve(cwd, name);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'There is no file' : `${code ?? 'An error'} on reading`;
    throw new UsageError(`${why} ${file}. Give the trace with --trace.`, { cause: error });
  }
}
