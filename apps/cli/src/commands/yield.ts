import type { JournalState, Yield } from '@mai/autopilot';
import { parseSizeBytes } from '@mai/model-config';
import type { Input } from '../command-line/input.js';
import { findAutopilotFiles } from '../compose/autopilot-files.js';
import { findProcess } from '../compose/find-process.js';
import { parseMoment } from '../compose/parse-moment.js';
import type { RunningProcess } from '../compose/processes.js';
import { readJournal, tellAutopilot } from '../compose/tell-autopilot.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../usage-error.js';
import { deliveryJson, describeDelivery } from '../views/watch/delivery.js';
import { describeYield } from '../views/watch/describe-yield.js';

/** `mai yield [SIZE]`, `mai yield --release`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  checkCombination(input);
  const [size] = input.positionals;
  if (input.has('release')) return release(context, input);
  if (size === undefined) return list(context);
  return hold(context, await yieldOf(size, context, input), input.has('dry-run'));
}

const ENDINGS = ['for', 'until', 'while'] as const;

function checkCombination(input: Input): void {
  const endings = ENDINGS.filter((name) => input.has(name));
  const [first, second] = endings;
  if (first !== undefined && second !== undefined) {
    throw new UsageError(`--${first} and --${second} are two ends of one yield. Give one of them.`);
  }
  const [size] = input.positionals;
  if (input.has('release') && (size !== undefined || first !== undefined)) {
    throw new UsageError(
      '--release gives memory back; leave the size and --for, --until, --while out.',
    );
  }
  const idle = [...endings, ...(input.has('pools') ? ['pools'] : [])][0];
  if (size === undefined && idle !== undefined) {
    throw new UsageError(`--${idle} needs a size: mai yield 8GiB --${idle} ...`);
  }
}

async function yieldOf(size: string, context: CommandContext, input: Input): Promise<Yield> {
  const { io, signal } = context;
  const bytes = parseSizeBytes(size);
  if (bytes === null || bytes <= 0) {
    throw new UsageError(`SIZE is an amount such as 8GiB or 512MiB, not ${JSON.stringify(size)}.`);
  }
  const sinceMs = io.nowMs();
  const process = input.text('while');
  const held = process === null ? null : await findProcess(process, io.platform, signal);
  const pools = input.text('pools');
  return {
    name: input.text('name') ?? (held === null ? DEFAULT_NAME : nameOf(held, process)),
    bytes,
    pools: pools === 'ram' || pools === 'gpu' ? pools : 'all',
    sinceMs,
    untilMs: untilOf(input, sinceMs),
    processId: held?.processId ?? null,
  };
}

const DEFAULT_NAME = 'by hand';

/** Two processes that are told apart by their ids have a yield each. */
function nameOf({ name, startedAs, processId }: RunningProcess, given: string | null): string {
  const called = startedAs ?? name;
  return given === String(processId) ? `${called} ${processId}` : called;
}

function untilOf(input: Input, nowMs: number): number | null {
  const forMs = input.durationMs('for');
  if (forMs !== null) return nowMs + forMs;
  const text = input.text('until');
  if (text === null) return null;
  const untilMs = parseMoment(text, nowMs);
  if (untilMs === null) {
    throw new UsageError(
      `--until takes a time such as 22:30 or 2031-05-04T22:30, not ${JSON.stringify(text)}.`,
    );
  }
  if (untilMs <= nowMs) throw new UsageError(`--until ${text} is in the past.`);
  return untilMs;
}

async function hold(context: CommandContext, one: Yield, dryRun: boolean): Promise<ExitCode> {
  const { io, output } = context;
  const sentence = describeYield(one, io.nowMs());
  if (dryRun) {
    if (output.json) output.resultJson({ dryRun, yield: one });
    else output.result(`Would hold ${sentence}.\n`);
    return EXIT.success;
  }
  const files = await findAutopilotFiles(context);
  const { journal, delivery } = await tellAutopilot(context, files, (state) => ({
    ...state,
    yields: [...state.yields.filter(({ name }) => name !== one.name), one],
  }));
  if (output.json) {
    output.resultJson({ dryRun, yields: journal.yields, delivery: deliveryJson(delivery) });
  } else {
    const verb = delivery?.kind === 'nobody' ? 'Noted' : 'Holding';
    output.result(`${output.style.good(verb)}: ${sentence}.\n`);
    if (delivery !== null) output.note(describeDelivery(delivery));
  }
  return EXIT.success;
}

async function release(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const files = await findAutopilotFiles(context);
  const wanted = input.text('name');
  const { yields } = await readJournal(files, context);
  const released = yields.filter(({ name }) => wanted === null || name === wanted);
  if (wanted !== null && released.length === 0) {
    const names = yields.map(({ name }) => name).join(', ');
    throw new UsageError(
      `There is no yield ${JSON.stringify(wanted)}. There are: ${names || 'none'}.`,
    );
  }
  const dryRun = input.has('dry-run');
  const gone = (one: Yield) => released.some(({ name }) => name === one.name);
  const { delivery } =
    dryRun || released.length === 0
      ? { delivery: null }
      : await tellAutopilot(context, files, (state) =>
          state.yields.some(gone)
            ? { ...state, yields: state.yields.filter((one) => !gone(one)) }
            : state,
        );
  if (output.json) {
    output.resultJson({ dryRun, released, delivery: deliveryJson(delivery) });
    return EXIT.success;
  }
  const verb = dryRun ? 'Would release' : output.style.good('Released');
  for (const one of released) output.result(`${verb}: ${describeYield(one, io.nowMs())}.\n`);
  if (released.length === 0) output.result('Nothing was held.\n');
  if (delivery !== null) output.note(describeDelivery(delivery));
  return EXIT.success;
}

async function list(context: CommandContext): Promise<ExitCode> {
  const { io, output } = context;
  const { yields }: JournalState = await readJournal(await findAutopilotFiles(context), context);
  if (output.json) output.resultJson({ yields });
  else if (yields.length === 0) output.result('Nothing is held.\n');
  else for (const one of yields) output.result(`${describeYield(one, io.nowMs())}\n`);
  return EXIT.success;
}
