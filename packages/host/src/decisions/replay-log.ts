import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ReplayReport } from '@mai/autopilot';
import { listRotated, replayDecisions } from '@mai/autopilot';
import { findAutopilotFiles } from '../runtime/autopilot-files.js';
import { errorCodeOf } from '../guards.js';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import type { RuntimeConnection } from '../runtime/connect-runtime.js';
import { ROTATED_MAX } from './read-history.js';

/** A field whose recorded and replayed values differ. A missing value is `null`. */
export interface FieldDifference {
  /** Path of the field, e.g. `pools[0].useAfterBytes`. */
  readonly field: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

/** One file of a decision log that was replayed. */
export interface ReplayedFile {
  readonly name: string;
  readonly report: ReplayReport;
  /** The differing fields of the first differing decision; empty where no decision differs. */
  readonly differences: readonly FieldDifference[];
  /**
   * The number of an incomplete last line; null where the last line is complete. Such a line is being
   * written, or a power loss cut it off.
   */
  readonly cutOff: number | null;
  /** Lines that are not records. */
  readonly corrupt: readonly number[];
}

/** A replay of a decision log. */
export interface ReplayedLog extends ReplaySummary {
  /** Oldest first. The list ends with the first file in which a decision differs. */
  readonly files: readonly ReplayedFile[];
}

/** The outcome of a replay over all files. */
export interface ReplaySummary {
  /** Whether every decision gave the same result, and no line is corrupt. */
  readonly same: boolean;
  /** Number of decisions that gave the same result. */
  readonly reproduced: number;
  /** The first decision that gave a different result; null where all gave the same result. */
  readonly difference: {
    readonly file: string;
    readonly line: number;
    readonly sequence: number;
    readonly atMs: number;
    readonly part: string;
    readonly fields: readonly FieldDifference[];
  } | null;
  /** Decisions in formats of earlier versions. They cannot be replayed. */
  readonly older: readonly (NonNullable<ReplayReport['older']> & { readonly file: string })[];
  readonly corrupt: readonly { readonly file: string; readonly line: number }[];
  readonly cutOff: readonly { readonly file: string; readonly line: number }[];
}

/**
 * Computes the decisions of a log again, file by file, and compares the results.
 *
 * @param log - one file; null: the whole log of the host's runtime.
 * @throws HostError `INVALID_REQUEST` where the log does not exist, or the file is not a decision log
 */
export async function replayLog(
  log: string | null,
  runtime: RuntimeConnection,
  context: HostContext,
): Promise<ReplayedLog> {
  const { signal } = context;
  const names =
    log === null
      ? await listRotated((await findAutopilotFiles(runtime, context)).decisionLog, ROTATED_MAX)
      : [log];
  if (names.length === 0) {
    throw new HostError(
      'INVALID_REQUEST',
      'There is no decision log here yet, because neither `mai serve` nor `mai watch` has run. Run one of them, or name a log: `mai replay LOG`.',
    );
  }
  const files: ReplayedFile[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    const file = await replayFile(name, context);
    files.push(file);
    if (file.report.difference !== null) break;
  }
  return { files, ...summaryOf(files) };
}

function summaryOf(files: readonly ReplayedFile[]): ReplaySummary {
  const differing = files.find(({ report }) => report.difference !== null);
  const difference = differing?.report.difference ?? null;
  return {
    same: difference === null && files.every(({ corrupt }) => corrupt.length === 0),
    reproduced: files.reduce((total, { report }) => total + report.reproduced, 0),
    difference:
      differing === undefined || difference === null
        ? null
        : {
            file: differing.name,
            line: difference.line,
            sequence: difference.record.sequence,
            atMs: difference.record.atMs,
            part: difference.part,
            fields: differing.differences,
          },
    older: files.flatMap(({ name, report: { older } }) =>
      older === null ? [] : [{ file: name, ...older }],
    ),
    corrupt: files.flatMap(({ name, corrupt }) => corrupt.map((line) => ({ file: name, line }))),
    cutOff: files.flatMap(({ name, cutOff }) =>
      cutOff === null ? [] : [{ file: name, line: cutOff }],
    ),
  };
}

async function replayFile(
  name: string,
  { cwd, signal }: Pick<HostContext, 'cwd' | 'signal'>,
): Promise<ReplayedFile> {
  const lines = (await readLog(path.resolve(cwd, name))).split('\n');
  const report = await replayDecisions(lines, { signal });
  const filled = lines.filter((line) => line.trim() !== '').length;
  if (filled === report.unreadable.length) {
    const why =
      filled === 0
        ? 'it is empty'
        : `line ${String(report.unreadable[0])} is not a record of a decision`;
    throw new HostError(
      'INVALID_REQUEST',
      `${name} is not a decision log: ${why}. Name a decision log, such as those in the data folder that \`mai doctor\` names.`,
    );
  }
  const cutOff = report.unreadable.includes(lines.length) ? lines.length : null;
  const { difference } = report;
  return {
    name,
    report,
    differences: difference === null ? [] : differencesOf(difference.recorded, difference.replayed),
    cutOff,
    corrupt: report.unreadable.filter((line) => line !== cutOff),
  };
}

async function readLog(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCodeOf(error);
    const why = code === 'ENOENT' ? 'There is no file' : `${code ?? 'An error'} while reading`;
    throw new HostError(
      'INVALID_REQUEST',
      `${why} ${file}. Name a decision log, such as those in the data folder that \`mai doctor\` names.`,
      {
        cause: error,
      },
    );
  }
}

/** The single fields in which two values of plain data differ. Includes nested fields. */
function differencesOf(recorded: unknown, replayed: unknown, field = ''): FieldDifference[] {
  if (
    isBranch(recorded) &&
    isBranch(replayed) &&
    Array.isArray(recorded) === Array.isArray(replayed)
  ) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(replayed)]);
    return [...keys].flatMap((key) =>
      differencesOf(recorded[key], replayed[key], join(field, key, Array.isArray(recorded))),
    );
  }
  const [before, after] = [recorded ?? null, replayed ?? null];
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ field, recorded: before, replayed: after }];
}

function join(field: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${field}[${key}]`;
  return field === '' ? key : `${field}.${key}`;
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
