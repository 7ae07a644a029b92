import { assembleSelectionInput, runOnce } from '@mai/autopilot';
import type { SelectionRequest } from '@mai/autopilot';
import { selectModel } from '@mai/selector';
import type { Input } from '../command-line/input.js';
import { requestOf } from '../command-line/selection-request.js';
import type { Library } from '../compose/library.js';
import type { Session } from '../compose/session.js';
import { openSession } from '../compose/session.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { nothingFitsAdvice } from '../views/selection/nothing-fits.js';
import { createRunNarrator, renderOutcome } from '../views/selection/run-view.js';
import { renderSelection } from '../views/selection/selection-view.js';

/** `mai select`: decide; with `--load`, carry it out. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const request = requestOf(input);
  await using session = await openSession(context);
  const library = await session.library();
  if (session.link.kind === 'off') output.note(output.noteStyle.dim(library.origin));
  // Awaited, so that the session is not closed under it.
  if (input.has('load'))
    return await carryOut({ session, library }, request, input.has('dry-run'), context);

  const assembled = await assembleSelectionInput(session.ports, request, { signal });
  const selection = selectModel(assembled);
  if (output.json) {
    output.resultJson({ origin: originOf(library), selection, resources: assembled.resources });
  } else {
    output.result(renderSelection(selection, assembled, output));
    if (selection.chosen === null) {
      output.note(`\n${output.noteStyle.dim(nothingFitsAdvice(assembled))}`);
    } else if (selection.plan.steps.length > 0 && session.link.kind === 'on') {
      output.note(`\n${output.noteStyle.dim('`mai select --load` carries it out.')}`);
    }
  }
  return selection.chosen === null ? EXIT.nothingFits : EXIT.success;
}

async function carryOut(
  { session, library }: { readonly session: Session; readonly library: Library },
  request: SelectionRequest,
  dryRun: boolean,
  { output, signal, globals }: CommandContext,
): Promise<ExitCode> {
  // Without LM Studio nothing can be loaded; a dry run still shows what would be.
  if (session.link.kind === 'off' && !dryRun) throw session.link.reason;
  const narrator = createRunNarrator(output, library.models);
  try {
    const report = await runOnce(session.ports, request, {
      dryRun,
      signal,
      onEvent: narrator.show,
      loadTimeoutMs: globals.timeoutMs,
    });
    narrator.clear();
    if (output.json) {
      const { first, last, ...done } = report;
      output.resultJson({
        origin: originOf(library),
        ...done,
        selection: last.selection,
        firstSelection: first.selection,
        resources: last.input.resources,
      });
    } else {
      output.result(renderOutcome(report, output));
    }
    return exitCodeOf(report.outcome);
  } finally {
    narrator.clear();
  }
}

function exitCodeOf(outcome: Awaited<ReturnType<typeof runOnce>>['outcome']): ExitCode {
  switch (outcome) {
    case 'kept':
    case 'switched':
    case 'would-switch':
      return EXIT.success;
    case 'released':
    case 'nothing-fits':
      return EXIT.nothingFits;
    case 'put-off':
    case 'rolled-back':
    case 'failed':
      return EXIT.lmStudioRefused;
  }
}

function originOf({ link, origin }: Library) {
  return { kind: link.kind === 'on' ? 'lmstudio' : 'models-folder', text: origin };
}
