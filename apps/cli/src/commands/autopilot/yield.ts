import {
  deliveryJson,
  describeDelivery,
  describeYield,
  formatBytes,
  type Host,
  parseYield,
  type YieldRequest,
} from '@mai/host';
import { YIELD_POOLS } from '../../arguments/choices.js';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';

/** `mai yield [SIZE]`, `mai yield --release`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  checkCombination(input);
  const [size] = input.positionals;
  const request = size === undefined ? null : requestOf(size, context, input);
  await using host = await openHostOf(context);
  const dryRun = input.has('dry-run');
  if (input.has('release')) await release(host, input.text('name'), dryRun, context);
  else if (request === null) await list(host, context);
  else await hold(host, request, dryRun, context);
  return EXIT.success;
}

const ENDINGS = ['for', 'until', 'while'] as const;

function checkCombination(input: Input): void {
  const [first, second] = ENDINGS.filter((name) => input.has(name));
  if (first !== undefined && second !== undefined) {
    throw new UsageError(
      `--${first} and --${second} both set the end of the yield. Give one of them.`,
    );
  }
  if (input.has('release') && input.positionals.length > 0) {
    throw new UsageError('--release takes no size. Leave the size out.');
  }
}

function requestOf(size: string, { io }: CommandContext, input: Input): YieldRequest {
  return parseYield(
    {
      size,
      name: input.text('name'),
      until: input.text('until'),
      pools: input.choice('pools', YIELD_POOLS),
      forMs: input.durationMs('for'),
      whileProcess: input.text('while'),
    },
    io.nowMs(),
  );
}

async function hold(
  host: Host,
  request: YieldRequest,
  dryRun: boolean,
  { io, output }: CommandContext,
): Promise<void> {
  const { yield: held, journal, delivery } = await host.yieldMemory(request, { dryRun });
  if (output.json) {
    output.resultJson(
      dryRun
        ? { dryRun, yield: held }
        : { dryRun, yields: journal.yields, delivery: deliveryJson(delivery) },
    );
    return;
  }
  const done = delivery?.kind === 'nobody' ? 'Will keep' : 'Keeping';
  const verb = dryRun ? 'Would keep' : output.style.good(done);
  output.result(`${verb} ${describeYield(held, io.nowMs())}.\n`);
  if (delivery !== null) output.note(describeDelivery(delivery));
}

async function release(
  host: Host,
  name: string | null,
  dryRun: boolean,
  { output }: CommandContext,
): Promise<void> {
  const { released, delivery } = await host.endYield(name, { dryRun });
  if (output.json) {
    output.resultJson({ dryRun, released, delivery: deliveryJson(delivery) });
    return;
  }
  const verb = dryRun ? 'Would release' : output.style.good('Released');
  for (const { bytes, name } of released) {
    output.result(`${verb} ${formatBytes(bytes)} (${name}).\n`);
  }
  if (released.length === 0) output.result('There was no yield to release.\n');
  if (delivery !== null) output.note(describeDelivery(delivery));
}

async function list(host: Host, { io, output }: CommandContext): Promise<void> {
  const { yields } = await host.journal();
  if (output.json) output.resultJson({ yields });
  else if (yields.length === 0) output.result('There are no yields.\n');
  else for (const one of yields) output.result(`${describeYield(one, io.nowMs())}\n`);
}
