import {
  deliveryJson,
  describeDelivery,
  describeYield,
  formatBytes,
  parseYield,
  type YieldRequest,
} from '@mai/host';
import { YIELD_POOLS } from '../../command-line/choices.js';
import type { Input } from '../../command-line/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';

/** `mai yield [SIZE]`, `mai yield --release`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  checkCombination(input);
  const [size] = input.positionals;
  if (input.has('release')) return release(context, input);
  if (size === undefined) return list(context);
  return hold(context, requestOf(size, context, input), input.has('dry-run'));
}

const ENDINGS = ['for', 'until', 'while'] as const;

function checkCombination(input: Input): void {
  const endings = ENDINGS.filter((name) => input.has(name));
  const [first, second] = endings;
  if (first !== undefined && second !== undefined) {
    throw new UsageError(
      `--${first} and --${second} both set the end of the yield. Give one of them.`,
    );
  }
  const [size] = input.positionals;
  if (input.has('release') && (size !== undefined || first !== undefined)) {
    throw new UsageError(
      '--release takes no size, and no --for, --until or --while. Leave them out.',
    );
  }
  const unused = [...endings, ...(input.has('pools') ? ['pools'] : [])][0];
  if (size === undefined && unused !== undefined) {
    throw new UsageError(`--${unused} needs a size: mai yield 8GiB --${unused} ...`);
  }
}

function requestOf(size: string, { io }: CommandContext, input: Input): YieldRequest {
  return parseYield(
    {
      ...{ size, name: input.text('name'), until: input.text('until') },
      pools: input.choice('pools', YIELD_POOLS),
      forMs: input.durationMs('for'),
      whileProcess: input.text('while'),
    },
    io.nowMs(),
  );
}

async function hold(
  context: CommandContext,
  request: YieldRequest,
  dryRun: boolean,
): Promise<ExitCode> {
  const { io, output } = context;
  await using host = await openHostOf(context);
  const { yield: held, journal, delivery } = await host.yieldMemory(request, { dryRun });
  if (output.json) {
    output.resultJson(
      dryRun
        ? { dryRun, yield: held }
        : { dryRun, yields: journal.yields, delivery: deliveryJson(delivery) },
    );
    return EXIT.success;
  }
  const done = delivery?.kind === 'nobody' ? 'Will keep' : 'Keeping';
  const verb = dryRun ? 'Would keep' : output.style.good(done);
  output.result(`${verb} ${describeYield(held, io.nowMs())}.\n`);
  if (delivery !== null) output.note(describeDelivery(delivery));
  return EXIT.success;
}

async function release(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const dryRun = input.has('dry-run');
  const { released, delivery } = await host.endYield(input.text('name'), { dryRun });
  if (output.json) {
    output.resultJson({ dryRun, released, delivery: deliveryJson(delivery) });
    return EXIT.success;
  }
  const verb = dryRun ? 'Would release' : output.style.good('Released');
  for (const { bytes, name } of released) {
    output.result(`${verb} ${formatBytes(bytes)} (${name}).\n`);
  }
  if (released.length === 0) output.result('There was no yield to release.\n');
  if (delivery !== null) output.note(describeDelivery(delivery));
  return EXIT.success;
}

async function list(context: CommandContext): Promise<ExitCode> {
  const { io, output } = context;
  await using host = await openHostOf(context);
  const { yields } = await host.journal();
  if (output.json) output.resultJson({ yields });
  else if (yields.length === 0) output.result('There are no yields.\n');
  else for (const one of yields) output.result(`${describeYield(one, io.nowMs())}\n`);
  return EXIT.success;
}
