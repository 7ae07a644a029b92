import type { AutopilotEvent, RunReport } from '@mai/autopilot';
import { totalBytesOf, type SpeedRange } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import { messageOf } from '../guards.js';
import type { Host } from '../host.js';
import type { StatusReport } from '../machine/read-status.js';
import { describePlan } from '../text/decisions/describe-decision.js';
import { explainRejection } from '../text/decisions/explain-rejection.js';
import { formatBytes, formatDuration, formatSpeed, plural } from '../words.js';
import { askModel, type DemoAnswer } from './ask-model.js';
import type { DemoStage } from './demo-stage.js';
import { untilSwitched, type Followed } from './follow-autopilot.js';

/** The parts of the running demo. */
export interface Story {
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

/** The switch that a chapter waits for. Another context of the same model is a step, too. */
const WANTED: Readonly<Record<DemoStep['step'], (report: RunReport) => boolean>> = {
  choose: () => true,
  'step-down': ({ first }) => first.selection.direction === 'down',
  'step-up': ({ first }) => first.selection.direction === 'up',
};

/** Waits until the autopilot has made the switch of a chapter, shows its steps, and asks the model. */
export async function showSwitch(
  story: Story,
  step: DemoStep['step'],
  takenBytes: number,
): Promise<DemoStep> {
  const { stage, host, limitBytes } = story;
  const followed = await untilSwitched(story, WANTED[step]);
  const loaded = followed.chosen;
  const status = await host.status();
  if (loaded === null) {
    const reason = whyKept(step, followed.latest, ramUse(status), limitBytes);
    stage.text(reason ?? stage.style.caution(late(followed)));
  }
  stage.memory(status);
  const modelKey = loaded?.modelKey ?? null;
  const measured = status.residents.find((one) => one.modelKey === modelKey)?.footprint ?? null;
  const estimated = loaded?.footprint ?? null;
  const answer = modelKey === null ? null : await askOrTell(stage, host, modelKey);
  let after: SpeedRange | null = null;
  if (answer !== null) {
    const { tokens, tokensPerSecond, text } = answer;
    const before = loaded?.loadOption.speed?.decodeTokensPerSecond ?? null;
    const predicted = before === null ? '' : ` (predicted: ${rangeText(before)})`;
    const speed =
      tokensPerSecond === null ? '' : ` at ${formatSpeed(tokensPerSecond)} tokens/s${predicted}`;
    stage.text(
      `${stage.style.bold(answer.modelKey)} answers ${plural(tokens, 'token')}${speed}: ${JSON.stringify(text.slice(0, 24))}, which is noise, because the weights are random.`,
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

/** Asks a model. Shows the error and returns null where it cannot answer, for example because memory has run out meanwhile. */
async function askOrTell(
  { signal, style, text }: DemoStage,
  host: Host,
  modelKey: string,
): Promise<DemoAnswer | null> {
  try {
    return await askModel(host, modelKey, signal);
  } catch (error) {
    signal.throwIfAborted();
    text(style.caution(`${modelKey} has not answered: ${messageOf(error)}`));
    return null;
  }
}

/** Why the autopilot keeps its model. Null where it does not keep it, so that the switch is late. */
function whyKept(
  step: DemoStep['step'],
  latest: Selection | null,
  useBytes: number | null,
  limitBytes: number,
): string | null {
  if (latest?.decision !== 'keep') return null;
  const key = latest.chosen?.modelKey ?? '';
  if (step === 'step-down') {
    return useBytes !== null && useBytes <= limitBytes
      ? `The use of RAM is still below the limit of ${formatBytes(limitBytes)}, for example because other programs have freed memory at the same time. So Mai has no reason to switch.`
      : `Mai keeps ${key}, because no smaller model would bring the use of RAM below the limit.`;
  }
  const larger = latest.rejected.find(({ rejection }) => rejection.code === 'INSUFFICIENT_RAM');
  return larger === undefined
    ? null
    : `Mai keeps ${key}, because other programs take more memory than at the beginning: ${larger.modelKey} ${explainRejection(larger.rejection)}.`;
}

function late({ latest, waitMs }: Followed): string {
  const plan = latest === null ? null : describePlan(latest);
  if (plan === null) return 'Mai has not decided in time.';
  return waitMs === null
    ? `Mai has not switched in time. Its latest decision: ${plan}.`
    : `Mai waits longer than the demo: it will ${plan}, in ${formatDuration(waitMs)} if it is still due.`;
}

/** The use of RAM in bytes; null where it is not known. */
export function ramUse({ pools }: StatusReport): number | null {
  return pools.find(({ pool }) => pool === 'ram')?.useBeforeBytes ?? null;
}
