import { assembleSelectionInput } from '@mai/autopilot';
import { selectModel } from '@mai/selector';
import type { Input } from '../command-line/input.js';
import { judgeModels } from '../compose/judge-models.js';
import { readStatus } from '../compose/read-status.js';
import type { Session } from '../compose/session.js';
import { openSession } from '../compose/session.js';
import type { CommandContext } from '../context.js';
import { nextSteps } from '../demo/next-steps.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { wrap } from '../terminal/text.js';
import { renderModels } from '../views/selection/models-view.js';
import { renderSelection } from '../views/selection/selection-view.js';
import { renderStatus } from '../views/machine/status-view.js';

/** `mai start`, what `npm start` runs: the real thing where LM Studio runs, else the demo. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using session = await openSession(context);
  if (session.link.kind === 'on') {
    await showEverything(session, context);
    nextSteps(output, true);
    return EXIT.success;
  }
  if (!output.json) {
    const text = `LM Studio is not running here, so this is a demo. (${session.link.reason.message})`;
    output.result(`${wrap(text, output.textWidth).join('\n')}\n\n`);
  }
  const { playDemo } = await import('../demo/play-demo.js');
  await playDemo(context, { fast: input.has('fast') });
  nextSteps(output, false);
  return EXIT.success;
}

/** Machine, models and the choice. Looks only: what to load is for the user to say. */
async function showEverything(session: Session, { output, signal }: CommandContext): Promise<void> {
  const status = await readStatus(session, signal);
  const [library, catalog] = await Promise.all([session.library(), session.catalog()]);
  const downloaded = catalog.profiles.filter((profile) => profile.downloaded);
  const judged = { ports: session.ports, catalog, library };
  const models = await judgeModels(judged, downloaded, signal);
  const input = await assembleSelectionInput(session.ports, {}, { signal });
  const selection = selectModel(input);
  if (output.json) {
    output.resultJson({ simulated: false, status, models, selection });
    return;
  }
  output.result(renderStatus(status, output));
  output.result(`\n${output.style.heading('Downloaded models')}\n${renderModels(models, output)}`);
  output.result(`\n${renderSelection(selection, input, output)}`);
}
