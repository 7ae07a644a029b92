import path from 'node:path';
import type { AutopilotEvent } from '@mai/autopilot';
import { totalBytesOf, type SpeedRange } from '@mai/memory-ledger';
import type { Host } from '../host.js';
import { formatBytes, formatSpeed } from '../words.js';
import { askModel, type DemoAnswer } from './ask-model.js';
import {
  bytesToTake,
  demoModels,
  demoPolicy,
  mayHaveRoom,
  type DemoPolicy,
} from './demo-policy.js';
import type { DemoStage } from './demo-stage.js';
import { untilLoaded } from './follow-autopilot.js';
import { takeMemory } from './take-memory.js';
import { writeNoiseModels } from './write-noise-models.js';

const MIB = 2 ** 20;
const SIZES_BYTES = [128 * MIB, 256 * MIB, 512 * MIB];
/** A switch that has not come after this time is reported as missing. */
const SWITCH_WITHIN_MS = 20_000;
const TOO_LITTLE_MEMORY = 'this machine has too little free memory: the demo takes up to 3.5 GiB';

/** Parameters that tests change. */
export interface DemoParameters {
  readonly sizesBytes?: readonly number[];
  readonly switchWithinMs?: number;
}

/** The parts of the running demo. */
interface Story {
  readonly stage: DemoStage;
  readonly host: Host;
  /** The autopilot's events from its start. */
  readonly events: AsyncIterator<AutopilotEvent>;
  readonly switchWithinMs: number;
  /** The use of RAM above which Mai steps down. */
  readonly limitBytes: number;
}

/** One chapter of the demo. */
export interface DemoStep {
  readonly step: 'choose' | 'step-down' | 'step-up';
  /** The model that was loaded. Null where the expected switch did not come in time. */
  readonly modelKey: string | null;
  /** Bytes that the demo's own process holds. */
  readonly takenBytes: number;
  readonly estimatedBytes: number | null;
  /** From the engine's own log; null where the log was not read. */
  readonly measuredBytes: number | null;
  readonly answer: Omit<DemoAnswer, 'text' | 'modelKey'> | null;
  /** Predicted tokens per second, before the load and after the answer; null where nothing is known. */
  readonly predicted: { readonly before: SpeedRange | null; readonly after: SpeedRange | null };
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
  const largest = first.modelKey;
  if (largest === null) {
    return `Mai has not loaded a model of the demo within ${switchWithinMs / 1000} s`;
  }
  const steps = [first];
  let isSmaller: boolean;
  {
    const bytes = await pressureFor(host, policy);
    await using taken = await takeMemory(bytes);
    stage.heading('Another program takes memory');
    stage.text(`A process of the demo takes ${formatBytes(bytes)} of real memory.`);
    await stage.whileMemoryChanges(() => host.status(), taken.taken);
    const down = await afterSwitch(story, 'step-down', bytes, (key) => key !== largest);
    steps.push(down);
    isSmaller = down.modelKey !== null;
  }
  stage.heading('The memory is free again');
  stage.text('The process has ended.');
  // Without the step down, the largest model is still loaded, and no switch is to come.
  if (isSmaller) steps.push(await afterSwitch(story, 'step-up', 0, (key) => key === largest));
  await running.stop();
  return steps;
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
  const step = await afterSwitch(story, 'choose', 0, () => true);
  const after = await host.resources();
  if (step.estimatedBytes !== null && step.measuredBytes !== null) {
    const fell = (before.ram.availableBytes ?? 0) - (after.ram.availableBytes ?? 0);
    stage.text(
      `${stage.style.good('Estimated')} before the load: ${formatBytes(step.estimatedBytes)}. From the engine's own log: ${formatBytes(step.measuredBytes)}. The machine's available memory fell by ${formatBytes(Math.max(0, fell))}, with the engine's process itself. The weights do not count there, because the system can drop the pages of a mapped file.`,
    );
  }
  await stage.pause();
  return step;
}

/** Waits until the autopilot has loaded a wanted model, shows its steps, and asks the model. */
async function afterSwitch(
  { stage, host, events, switchWithinMs, limitBytes }: Story,
  step: DemoStep['step'],
  takenBytes: number,
  isWanted: (modelKey: string) => boolean,
): Promise<DemoStep> {
  const loaded = await untilLoaded(stage, events, isWanted, switchWithinMs);
  const status = await host.status();
  if (loaded === null) {
    const useBytes = ramUse(status);
    const isBelow = useBytes !== null && useBytes <= limitBytes;
    // Where the model is unloaded already, the load of the smaller one is late.
    const isKept = status.residents.some((resident) => !isWanted(resident.modelKey));
    stage.text(
      step === 'step-down' && isBelow && isKept
        ? `The use of RAM is still below the limit of ${formatBytes(limitBytes)}, for example because other programs have freed memory at the same time. So Mai has no reason to switch.`
        : stage.style.caution('Mai has not switched in time.'),
    );
  }
  stage.memory(status);
  const modelKey = loaded?.modelKey ?? null;
  const measured = status.residents.find((one) => one.modelKey === modelKey)?.footprint ?? null;
  const estimated = loaded?.footprint ?? null;
  const answer = modelKey === null ? null : await askModel(host, modelKey, stage.signal);
  let after: SpeedRange | null = null;
  if (answer !== null) {
    const { tokens, tokensPerSecond, text } = answer;
    const before = loaded?.loadOption.speed?.decodeTokensPerSecond ?? null;
    const predicted = before === null ? '' : ` (predicted: ${rangeText(before)})`;
    stage.text(
      `${stage.style.bold(answer.modelKey)} answers ${tokens} tokens at ${formatSpeed(tokensPerSecond)} tokens/s${predicted}: ${JSON.stringify(text.slice(0, 24))}, which is noise, because the weights are random.`,
    );
    after = await predictedSpeed(host, answer.modelKey);
    if (after !== null) {
      stage.text(
        `Mai has learned from this answer. It now predicts ${rangeText(after)} tokens/s for ${answer.modelKey}, with 2,000 tokens of context.`,
      );
    }
  }
  return {
    step,
    modelKey,
    takenBytes,
    estimatedBytes: estimated === null ? null : totalBytesOf(estimated),
    measuredBytes: measured?.source === 'measured' ? totalBytesOf(measured) : null,
    answer:
      answer === null ? null : { tokens: answer.tokens, tokensPerSecond: answer.tokensPerSecond },
    predicted: {
      before: loaded?.loadOption.speed?.decodeTokensPerSecond ?? null,
      after,
    },
  };
}

/** The tokens per second that a model is expected to generate as it would be loaded now; null where nothing is known. */
async function predictedSpeed(host: Host, modelKey: string): Promise<SpeedRange | null> {
  const { models } = await host.models();
  const model = models.find(({ profile }) => profile.modelKey === modelKey);
  return model?.speed?.decodeTokensPerSecond ?? null;
}

function rangeText({ expected, low, high }: SpeedRange): string {
  return `${formatSpeed(expected)}, between ${formatSpeed(low)} and ${formatSpeed(high)}`;
}

async function pressureFor(host: Host, policy: DemoPolicy): Promise<number> {
  const status = await host.status();
  const { models } = await host.models();
  const useBytes = ramUse(status);
  const bytes = useBytes === null ? null : bytesToTake(policy, models, status.resources, useBytes);
  if (bytes === null) throw new Error('The memory of this machine or of a model is not known.');
  return bytes;
}

/** The use of RAM in bytes; null where it is not known. */
function ramUse({ pools }: Awaited<ReturnType<Host['status']>>): number | null {
  return pools.find(({ pool }) => pool === 'ram')?.useBeforeBytes ?? null;
}
