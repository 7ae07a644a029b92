import { leftOutOfSimulation } from '@mai/host';
import { type PolicyName, type ServedPart, simulate, type SimulationReport } from '@mai/simulation';
import { POLICIES } from '../../arguments/choices.js';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { readTrace } from './read-trace.js';
import { UsageError } from '../../usage-error.js';
import {
  renderComparison,
  renderSimulation,
  type SimulationTitle,
} from '../../views/simulation/simulation-view.js';

const DEFAULT_SEED = 1;

/** `mai simulate --trace FILE`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const traceName = input.text('trace');
  if (traceName === null) {
    throw new UsageError(
      'mai simulate needs --trace=FILE: the memory use of a machine over time, as JSON lines.',
    );
  }
  const seed = input.integer('seed', 0) ?? DEFAULT_SEED;
  const policy = input.text('policy') ?? 'mai';
  const trace = await readTrace(traceName, context);
  const [first] = trace;
  if (first === undefined) throw new UsageError(`${traceName} has no rows.`);
  const chainName = input.text('chain');
  await using host = await openHostOf(context);
  const chain = await host.simulatedModels(chainName, first);
  for (const { text, isExpected } of leftOutOfSimulation(chain)) {
    if (isExpected) output.note(output.noteStyle.dim(text));
    else output.warn(text);
  }

  const { models, limits, pinned, drainDeadlineMs } = chain;
  const reports = new Map<PolicyName, SimulationReport>();
  let served: ServedPart[] = [];
  for (const name of POLICIES.filter((one) => policy === 'all' || one === policy)) {
    served = [];
    const report = await simulate({
      trace,
      models,
      limits,
      pinned,
      drainDeadlineMs,
      policy: name,
      seed,
      signal,
      onServing: (serving, fromMs) => served.push({ modelKey: serving?.modelKey ?? null, fromMs }),
    });
    reports.set(name, report);
  }
  const title: SimulationTitle = { traceName, chainName, seed, chain };
  const [only] = reports;
  if (policy !== 'all' && only !== undefined) {
    if (output.json) output.resultJson(only[1]);
    else output.result(renderSimulation(only[0], only[1], served, title, output));
  } else if (output.json) {
    output.resultJson({ policies: Object.fromEntries(reports) });
  } else {
    output.result(renderComparison(reports, title, output));
  }
  return EXIT.success;
}
