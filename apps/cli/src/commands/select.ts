import { asServed, describeObstacle, describeOrigin, describeYield, unusableNote } from '@mai/host';
import type {
  DownloadsOrigin,
  Host,
  SelectionReport,
  SelectionRequest,
  SwitchReport,
} from '@mai/host';
import type { Input } from '../arguments/input.js';
import { requestOf } from '../arguments/shared-options.js';
import type { CommandContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { createRunReporter, renderOutcome } from '../views/selection/run-view.js';
import { renderSelection } from '../views/selection/selection-view.js';

/** `mai select`: decides. With `--load`, it also carries out the decision. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  const request = requestOf(input);
  await using host = await openHostOf(context);
  // `await` keeps the host open until the switch has ended.
  if (input.has('load')) return await carryOut(host, request, input.has('dry-run'), context);

  const report = await host.select(request);
  const { selection, origin, refused, obstacle, yields, runtimeIsOn } = report;
  noteOrigin(origin, context);
  noteYields(yields, context);
  if (output.json) {
    const { input } = report;
    output.resultJson({
      origin: originJson(origin),
      selection: asServed(selection, input),
      refused,
      yields,
      resources: input.resources,
    });
  } else {
    output.result(renderSelection(report, output));
    if (selection.chosen !== null) for (const file of refused) output.warn(unusableNote(file));
    if (obstacle !== null) {
      output.note(`\n${output.noteStyle.dim(describeObstacle(obstacle))}`);
    } else if (selection.plan.steps.length > 0 && runtimeIsOn) {
      // The embedded engine keeps a model only while the process runs that loaded it.
      const how = origin.kind === 'stores' ? '`mai serve`' : '`mai select --load`';
      output.note(`\n${output.noteStyle.dim(`${how} carries out this plan.`)}`);
    }
  }
  return selection.chosen === null ? EXIT.nothingFits : EXIT.success;
}

async function carryOut(
  host: Host,
  request: SelectionRequest,
  dryRun: boolean,
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const reporter = createRunReporter(output);
  try {
    const report = await host.switchModel(request, {
      dryRun,
      outlivesHost: true,
      onEvent: reporter.show,
    });
    reporter.clear();
    noteOrigin(report.origin, context);
    noteYields(report.yields, context);
    if (output.json) {
      const { first, last, origin, obstacle: _, ...done } = report;
      output.resultJson({
        origin: originJson(origin),
        ...done,
        selection: asServed(last.selection, last.input),
        firstSelection: asServed(first.selection, first.input),
        resources: last.input.resources,
      });
    } else {
      output.result(renderOutcome(report, output));
    }
    return EXIT_BY_OUTCOME[report.outcome];
  } finally {
    reporter.clear();
  }
}

const EXIT_BY_OUTCOME: Readonly<Record<SwitchReport['outcome'], ExitCode>> = {
  kept: EXIT.success,
  switched: EXIT.success,
  'would-switch': EXIT.success,
  released: EXIT.nothingFits,
  'nothing-fits': EXIT.nothingFits,
  'put-off': EXIT.lmStudioRefused,
  'rolled-back': EXIT.lmStudioRefused,
  failed: EXIT.lmStudioRefused,
  cancelled: EXIT.lmStudioRefused,
};

function noteOrigin(origin: DownloadsOrigin, { output }: CommandContext): void {
  if (origin.kind === 'models-folder') output.note(output.noteStyle.dim(describeOrigin(origin)));
}

function noteYields(yields: SelectionReport['yields'], { output, io }: CommandContext): void {
  for (const one of yields)
    output.note(output.noteStyle.dim(`Keeps ${describeYield(one, io.nowMs())}.`));
}

function originJson(origin: DownloadsOrigin): object {
  return { kind: origin.kind, text: describeOrigin(origin) };
}
