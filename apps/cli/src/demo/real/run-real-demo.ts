import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  formatBytes,
  formatPercent,
  writeNoiseModels,
  type AutopilotEvent,
  type Host,
  type NoiseModels,
} from '@mai/host';
import { totalBytesOf } from '@mai/memory-ledger';
import type { CommandContext } from '../../context.js';
import { openHostOf } from '../../open-host.js';
import { createLiveView } from '../../terminal/live-view.js';
import { renderPoolLegend, renderPools } from '../../views/machine/memory-pools.js';
import { renderModels } from '../../views/selection/models-view.js';
import { createDemoPrinter, type DemoPrinter } from '../demo-printer.js';
import { askModel, type Answer } from './ask-model.js';
import { untilLoaded } from './follow-autopilot.js';
import { bytesToTake, realModels, realPolicy, type RealPolicy } from './real-policy.js';
import { takeMemory } from './take-memory.js';

const MIB = 2 ** 20;
const SIZES_BYTES = [128 * MIB, 256 * MIB, 512 * MIB];
const FRAME_MS = 150;

/** The parts of the running demo. */
interface Story {
  readonly context: CommandContext;
  readonly printer: DemoPrinter;
  readonly host: Host;
  /** The autopilot's events from its start. */
  readonly events: AsyncIterator<AutopilotEvent>;
}

/** One chapter of the demo, as `--json` prints it. */
export interface RealStep {
  readonly step: 'choose' | 'step-down' | 'step-up';
  /** The model that was loaded. Null where the expected switch did not come in time. */
  readonly modelKey: string | null;
  /** Bytes that the demo's own process holds. */
  readonly takenBytes: number;
  readonly estimatedBytes: number | null;
  /** From the engine's own log; null where the log was not read. */
  readonly measuredBytes: number | null;
  readonly answer: Omit<Answer, 'text' | 'modelKey'> | null;
}

/**
 * Runs the demo on this machine's real memory: llama.cpp loads models of random weights, a process takes memory, the
 * autopilot steps down, the process ends, and the autopilot steps up. Removes its files and ends its processes.
 *
 * @returns why the demo can't run on this machine; null where it has run
 */
export async function runRealDemo(
  context: CommandContext,
  { fast }: { readonly fast: boolean },
): Promise<string | null> {
  const { output, io } = context;
  const startMs = io.nowMs();
  const printer = createDemoPrinter(context, fast);
  const files = await writeFiles(context, printer);
  if (files === null) return 'no disk has 1.3 GiB of free space for the models of the demo';
  await using models = files;
  const folder = path.join(models.folder, 'mai');
  const options = {
    ...{ runtime: 'embedded' as const, modelFolders: [models.folder], env: {}, userHome: folder },
    ...{ dataFolder: folder, cacheFolder: folder, configFolder: folder },
  };
  const base = realModels(models.modelKeys);
  const policy = await (async () => {
    await using plain = await openHostOf(context, { ...options, config: base });
    return realPolicy(base, (await plain.models()).models, await plain.resources());
  })();
  if (policy === null) {
    return 'this machine has too little free memory: the demo takes up to 3.5 GiB';
  }
  await using host = await openHostOf(context, { ...options, config: policy.config });

  printer.heading('Models of the demo, and the memory that each takes here');
  printer.lines(
    renderModels((await host.models()).models, output, 2)
      .trimEnd()
      .split('\n'),
  );
  printer.text(
    `The demo has its own policy: Mai keeps the use of RAM below ${formatBytes(policy.limitBytes)}, a little above the present use and the largest model, and acts within seconds. Your own limits are higher, and your own times longer.`,
  );
  await printer.pause(1500);
  await using running = await host.startAutopilot({ intervalMs: 500 });
  const events = running.events[Symbol.asyncIterator]();
  const story: Story = { context, printer, host, events };
  const steps = [await choose(story)];
  const largest = steps[0]?.modelKey ?? null;
  {
    const bytes = await pressureFor(host, policy);
    await using taken = takeMemory(bytes);
    printer.heading('Another program takes memory');
    printer.text(`A process of the demo takes ${formatBytes(bytes)} of real memory.`);
    await whileShowing(story, taken.taken);
    steps.push(await afterSwitch(story, 'step-down', bytes, (key) => key !== largest));
  }
  printer.heading('The memory is free again');
  printer.text('The process has ended.');
  steps.push(await afterSwitch(story, 'step-up', 0, (key) => key === largest));
  await running.stop();
  if (output.json) {
    output.resultJson({ simulated: false, noise: true, steps });
  } else {
    const seconds = Math.round((io.nowMs() - startMs) / 1000);
    printer.say(
      `\n${output.style.good('The demo is over.')} It took ${seconds} s. Its models are removed.`,
    );
  }
  return null;
}

/** Writes the models to the first suitable disk. */
async function writeFiles(
  { output, signal, io }: CommandContext,
  printer: DemoPrinter,
): Promise<NoiseModels | null> {
  printer.heading('Write three models of random weights');
  printer.text(
    'No model was found on this machine. So the demo writes three GGUF files of 128, 256 and 512 MiB, and removes them at the end. Their answers are noise, because their weights are random; their memory and speed are real.',
  );
  const totalBytes = SIZES_BYTES.reduce((sum, bytes) => sum + bytes, 0);
  const progress = output.progress('  Writing', totalBytes);
  try {
    return await writeNoiseModels(
      {
        sizesBytes: SIZES_BYTES,
        folders: [tmpdir(), path.join(io.homeFolder, '.cache', 'mai'), '/var/tmp'],
        onProgress: (ratio) => progress.update(ratio),
      },
      { signal },
    );
  } finally {
    progress.clear();
  }
}

async function choose(story: Story): Promise<RealStep> {
  const { printer, host, context } = story;
  printer.heading('llama.cpp loads the best model that fits');
  const before = await host.resources();
  const step = await afterSwitch(story, 'choose', 0, () => true);
  const after = await host.resources();
  if (step.estimatedBytes !== null && step.measuredBytes !== null) {
    const fell = (before.ram.availableBytes ?? 0) - (after.ram.availableBytes ?? 0);
    printer.text(
      `${context.output.style.good('Estimated')} before the load: ${formatBytes(step.estimatedBytes)}. From the engine's own log: ${formatBytes(step.measuredBytes)}. The machine's available memory fell by ${formatBytes(Math.max(0, fell))}, with the engine's process itself. The weights do not count there, because the system can drop the pages of a mapped file.`,
    );
  }
  await printer.pause(1500);
  return step;
}

/** Waits until the autopilot has loaded a wanted model, prints its steps, and asks the model. */
async function afterSwitch(
  story: Story,
  step: RealStep['step'],
  takenBytes: number,
  isWanted: (modelKey: string) => boolean,
): Promise<RealStep> {
  const { printer, host, context } = story;
  const loaded = await untilLoaded(context, printer, story.events, isWanted);
  printer.lines(await poolLines(story));
  const modelKey = loaded?.modelKey ?? null;
  const { residents } = await host.status();
  const measured = residents.find((one) => one.modelKey === modelKey)?.footprint ?? null;
  const estimated = loaded?.footprint ?? null;
  const answer = modelKey === null ? null : await askModel(host, modelKey, context.signal);
  if (answer !== null) {
    const { tokens, tokensPerSecond, text } = answer;
    printer.text(
      `${context.output.style.bold(answer.modelKey)} answers ${tokens} tokens at ${tokensPerSecond.toFixed(1)} tokens/s: ${JSON.stringify(text.slice(0, 24))} (noise, because the weights are random)`,
    );
  }
  return {
    ...{ step, modelKey, takenBytes },
    estimatedBytes: estimated === null ? null : totalBytesOf(estimated),
    measuredBytes: measured?.source === 'measured' ? totalBytesOf(measured) : null,
    answer:
      answer === null ? null : { tokens: answer.tokens, tokensPerSecond: answer.tokensPerSecond },
  };
}

async function pressureFor(host: Host, policy: RealPolicy): Promise<number> {
  const { pools, resources } = await host.status();
  const { models } = await host.models();
  const useBytes = pools.find(({ pool }) => pool === 'ram')?.useBeforeBytes ?? null;
  const bytes = useBytes === null ? null : bytesToTake(policy, models, resources, useBytes);
  if (bytes === null) throw new Error('The memory of this machine or of a model is not known.');
  return bytes;
}

/** Shows the memory again and again on a terminal until the promise settles. */
async function whileShowing(story: Story, taken: Promise<void>): Promise<void> {
  const { context, printer } = story;
  const { output, io, signal } = context;
  if (output.json || !output.stdout.isTTY || printer.fast) return taken;
  const view = createLiveView(output);
  let isTaken = false;
  const done = taken.finally(() => (isTaken = true));
  done.catch(() => undefined);
  try {
    while (!isTaken) {
      view.show(`${(await poolLines(story)).join('\n')}\n`);
      await io.sleep(FRAME_MS, signal);
    }
    return await done;
  } finally {
    view.close();
  }
}

async function poolLines({ host, context }: Story): Promise<string[]> {
  const { output } = context;
  const { pools, resources } = await host.status();
  return [
    ...renderPools(pools, resources, 'before', output),
    ...renderPoolLegend(pools, output),
    ...pools
      .filter(({ useBeforeBytes, limitBytes }) => useBeforeBytes > limitBytes)
      .map(({ limitRatio }) => output.style.bad(`  RAM is over ${formatPercent(limitRatio)}.`)),
  ];
}
