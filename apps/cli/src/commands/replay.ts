import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ReplayReport } from '@mai/autopilot';
import { listRotated, replayDecisions } from '@mai/autopilot';
import type { Input } from '../command-line/input.js';
import { findAutopilotFiles } from '../compose/autopilot-files.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../usage-error.js';
import type { ReplayedFile } from '../views/replay-view.js';
import { differencesOf, renderReplay } from '../views/replay-view.js';

/** Full files that were moved aside; far more than the log ever keeps. */
const ROTATED_MAX = 100;

/** `mai replay [LOG]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output, signal } = context;
  const [given] = input.positionals;
  const names =
    given === undefined
      ? await listRotated((await findAutopilotFiles(context)).decisionLog, ROTATED_MAX)
      : [given];
  if (names.length === 0) {
    throw new UsageError(
      'There is no decision log here yet: `mai watch` writes one. Give another as `mai replay LOG`.',
    );
  }
  const files: ReplayedFile[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    const file = await replayFile(name, io.cwd);
    files.push(file);
    if (file.report.difference !== null) break;
  }
  if (output.json) output.resultJson(summaryOf(files));
  else output.result(renderReplay(files, output));
  return files.every(isReproduced) ? EXIT.success : EXIT.fault;
}

async function replayFile(name: string, cwd: string): Promise<ReplayedFile> {
  const text = await readLog(path.resolve(cwd, name));
  const lines = text.split('\n');
  const report = replayDecisions(lines);
  const filled = lines.filter((line) => line.trim() !== '').length;
  if (filled === report.unreadable.length) {
    const why =
      filled === 0 ? 'it is empty' : `line ${String(report.unreadable[0])} is no record of one`;
    throw new UsageError(`${name} is no decision log: ${why}. Give one of \`mai watch\`.`);
  }
  // A record without the end of its line: it is being written, or was when the machine went off.
  const cutOff = report.unreadable.includes(lines.length) ? lines.length : null;
  return { name, report, cutOff, corrupt: report.unreadable.filter((line) => line !== cutOff) };
}

async function readLog(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'There is no file' : `${code ?? 'An error'} on reading`;
    throw new UsageError(`${why} ${file}. Give a decision log of \`mai watch\`.`, { cause: error });
  }
}

function isReproduced({ report, corrupt }: ReplayedFile): boolean {
  return report.difference === null && corrupt.length === 0;
}

function summaryOf(files: readonly ReplayedFile[]) {
  const sum = (count: (report: ReplayReport) => number) =>
    files.reduce((total, { report }) => total + count(report), 0);
  const [differing] = files.flatMap(({ name, report: { difference } }) =>
    difference === null ? [] : [{ file: name, ...difference }],
  );
  return {
    same: files.every(isReproduced),
    reproduced: sum(({ reproduced }) => reproduced),
    difference:
      differing === undefined
        ? null
        : {
            file: differing.file,
            line: differing.line,
            sequence: differing.record.sequence,
            atMs: differing.record.atMs,
            part: differing.part,
            fields: differencesOf(differing.recorded, differing.replayed),
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
