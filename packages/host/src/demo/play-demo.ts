import path from 'node:path';
import { messageOf } from '../guards.js';
import type { Host } from '../host.js';
import { formatBytes } from '../words.js';
import {
  bytesToTake,
  demoModels,
  demoPolicy,
  mayHaveRoom,
  type DemoPolicy,
} from './demo-policy.js';
import type { DemoStage } from './demo-stage.js';
import { ramUse, showSwitch, type DemoStep, type Story } from './show-switch.js';
import { takeMemory } from './take-memory.js';
import { writeNoiseModels } from './write-noise-models.js';

const MIB = 2 ** 20;
const SIZES_BYTES = [128 * MIB, 256 * MIB, 512 * MIB];
/** A switch that has not come after this time is reported as missing. */
const SWITCH_WITHIN_MS = 12_000;
const TOO_LITTLE_MEMORY = 'this machine has too little free memory: the demo takes up to 3.5 GiB';

const OTHERS_TOOK =
  'Other programs have taken so much memory meanwhile that the demo takes none itself, and does not wait until they free it.';

/** Parameters that tests change. */
export interface DemoParameters {
  readonly sizesBytes?: readonly number[];
  readonly switchWithinMs?: number;
}

/**
 * Plays the demo on this machine's real memory: llama.cpp loads models of random weights, a process takes memory, the
 * autopilot steps down, the process ends, and the autopilot steps up. Removes its files and ends its processes.
 *
 * @returns the chapters; or the reason for which the demo cannot run on this machine
 */
export async function playDemo(
  stage: DemoStage,
  { sizesBytes = SIZES_BYTES, switchWithinMs = SWITCH_WITHIN_MS }: DemoParameters = {},
): Promise<readonly DemoStep[] | string> {
  {
    await using plain = await stage.openHost({ runtime: 'embedded' });
    if (!mayHaveRoom(await plain.resources(), Math.max(...sizesBytes))) return TOO_LITTLE_MEMORY;
  }
  const files = await writeFiles(stage, sizesBytes);
  if (files === null) return 'no disk has 1.3 GiB of free space for the models of the demo';
  await using models = files;
  const folder = path.join(models.folder, 'mai');
  const options = {
    runtime: 'embedded' as const,
    modelFolders: [models.folder],
    env: {},
    userHome: folder,
    dataFolder: folder,
    cacheFolder: folder,
    configFolder: folder,
  };
  const base = demoModels(models.modelKeys);
  const policy = await (async () => {
    await using plain = await stage.openHost({ ...options, config: base });
    return demoPolicy(base, (await plain.models()).models, await plain.resources());
  })();
  if (policy === null) return TOO_LITTLE_MEMORY;
  await using host = await stage.openHost({ ...options, config: policy.config });

  stage.heading('Models of the demo, and the memory that each takes here');
  stage.models((await host.models()).models);
  stage.text(
    `The demo has its own policy. Mai acts within seconds, and keeps the use of RAM below ${formatBytes(policy.limitBytes)}: the largest model just fits beside the present use. The limits and the times of your own configuration are higher.`,
  );
  await stage.pause();
  await using running = await host.startAutopilot({ intervalMs: 500 });
  const events = running.events[Symbol.asyncIterator]();
  const story: Story = { stage, host, events, switchWithinMs, limitBytes: policy.limitBytes };
  const first = await choose(story);
  if (first.modelKey === null) {
    return `Mai has not loaded a model of the demo within ${switchWithinMs / 1000} s`;
  }
  const steps = [first];
  const bytes = await pressureFor(host, policy);
  stage.heading('Another program takes memory');
  const down = await stepDown(story, bytes);
  steps.push(down);
  // Without the step down, the largest model is still loaded, and no switch is to come.
  if (down.modelKey !== null && bytes > 0) {
    stage.heading('The memory is free again');
    stage.text('The process has ended.');
    steps.push(await showSwitch(story, 'step-up', 0));
  }
  await running.stop();
  return steps;
}

/** Takes memory until the autopilot has stepped down. */
async function stepDown(story: Story, bytes: number): Promise<DemoStep> {
  const { stage, host } = story;
  if (bytes === 0) {
    stage.text(OTHERS_TOOK);
    return showSwitch(story, 'step-down', bytes);
  }
  await using taken = await takeMemory(bytes);
  stage.text(`A process of the demo takes ${formatBytes(bytes)} of real memory.`);
  try {
    await stage.whileMemoryChanges(() => host.status(), taken.taken);
  } catch (error) {
    stage.signal.throwIfAborted();
    const end = `${messageOf(error)} The system ends processes where memory runs out.`;
    stage.text(stage.style.caution(end));
  }
  // Not before the switch, because the end of this block ends the process.
  return await showSwitch(story, 'step-down', bytes);
}

/** Writes the models to the first suitable disk. */
async function writeFiles(
  stage: DemoStage,
  sizesBytes: readonly number[],
): ReturnType<typeof writeNoiseModels> {
  stage.heading('Write three models of random weights');
  stage.text(
    'No model was found on this machine. So the demo writes three GGUF files of 128, 256 and 512 MiB, and removes them at the end. Their answers are noise, because their weights are random; their memory and speed are real.',
  );
  const progress = stage.progress(sizesBytes.reduce((sum, bytes) => sum + bytes, 0));
  const { folders, signal } = stage;
  try {
    return await writeNoiseModels({ sizesBytes, folders, onProgress: progress.update }, { signal });
  } finally {
    progress.clear();
  }
}

async function choose(story: Story): Promise<DemoStep> {
  const { stage, host } = story;
  stage.heading('llama.cpp loads the best model that fits');
  const before = await host.resources();
  const step = await showSwitch(story, 'choose', 0);
  const after = await host.resources();
  if (step.estimatedBytes !== null && step.measuredBytes !== null) {
    const fell = (before.ram.availableBytes ?? 0) - (after.ram.availableBytes ?? 0);
    stage.text(
      `${stage.style.good('Estimated')} before the load: ${formatBytes(step.estimatedBytes)}. From the engine's own log: ${formatBytes(step.measuredBytes)}. ${
        fell > 0
          ? `The machine's available memory fell by ${formatBytes(fell)} meanwhile: the engine's process itself and changes of other programs count there.`
          : `The machine's available memory did not fall meanwhile, because other programs have freed some.`
      } The weights do not count there, because the system can drop the pages of a mapped file.`,
    );
  }
  await stage.pause();
  return step;
}

async function pressureFor(host: Host, policy: DemoPolicy): Promise<number> {
  const status = await host.status();
  const { models } = await host.models();
  const useBytes = ramUse(status);
  const bytes = useBytes === null ? null : bytesToTake(policy, models, status.resources, useBytes);
  if (bytes === null) throw new Error('The memory of this machine or of a model is not known.');
  return bytes;
}
