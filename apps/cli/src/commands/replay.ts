import type { ReplayedLog } from '@mai/host';
import type { Input } from '../command-line/input.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { renderReplay } from '../views/history/replay-view.js';

/** `mai replay [LOG]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const replayed = await host.replay(input.positionals[0] ?? null);
  if (output.json) output.resultJson(summaryOf(replayed));
  else output.result(renderReplay(replayed, output));
  return replayed.same ? EXIT.success : EXIT.fault;
}

function summaryOf({ files, same }: ReplayedLog): object {
  const differing = files.find(({ report }) => report.difference !== null);
  const difference = differing?.report.difference ?? null;
  return {
    same,
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
