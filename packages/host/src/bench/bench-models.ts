import type { SpeedRange } from '@mai/memory-ledger';
import type { Host } from '../host.js';
import type { HostParts } from '../host-parts.js';
import { HostError, isHostError } from '../host-error.js';
import { NO_REQUEST } from '../control/no-request.js';
import { readOthersCpu } from '../speeds/others-cpu.js';
import { isRuntimeError, type RuntimeError } from '../runtime/runtime-error.js';
import type { Serving, ServingLease } from '../serving/serving.js';
import type { SpeedSubject } from '../speeds/speed-subject.js';
import { speedsOfRuntime } from '../speeds/speeds-of-runtime.js';
import type { Speeds } from '../speeds/speeds.js';
import { formatDuration } from '../words.js';
import { chooseModels } from './choose-models.js';
import { timeAnswer, type AnswerTimes } from './time-answer.js';
import type { BenchFigure, BenchOptions, BenchRequest, BenchResult } from './bench-result.js';

const DEFAULT_PROMPT_WORDS = 512;
const DEFAULT_GENERATED_TOKENS = 64;
/** The first answer shows how long a prompt may be. */
const FIRST_WORDS = 72;
/** The longest prompt takes about this long, so that the benchmark is short on a slow machine, too. */
const PROMPT_MS = 15_000;
const DEFAULT_MODEL_TIMEOUT_MS = 180_000;
/** Of the models that Mai chooses itself, none is begun after this time. */
const CHOSEN_MODELS_MS = 180_000;

/** Measures models one after another. Models that were not loaded before are unloaded again. */
export async function benchModels(
  host: Pick<Host, 'models' | 'status' | 'unload'> & {
    readonly serving: Pick<Serving, 'acquire' | 'plan'>;
  },
  parts: HostParts,
  request: BenchRequest,
  { signal = parts.context.signal, onProgress = () => undefined }: BenchOptions,
): Promise<readonly BenchResult[]> {
  const startedMs = parts.context.clock.nowMs();
  const [{ residents }, { models: listed }] = await Promise.all([
    host.status({ signal }),
    host.models({}, { signal }),
  ]);
  const loaded = new Set(residents.map(({ instanceIdentifier }) => instanceIdentifier));
  const asked = request.modelKeys ?? [];
  const keys: readonly (string | null)[] =
    asked.length > 0 ? asked : [...new Set(residents.map(({ modelKey }) => modelKey))];
  // By its key, because a request for any model would keep the best model loaded afterwards.
  const models =
    keys.length === 0
      ? chooseModels((await host.serving.plan(NO_REQUEST, { signal })).modelKey, listed)
      : keys;
  const results: BenchResult[] = [];
  for (const [index, modelKey] of models.entries()) {
    const isLate = parts.context.clock.nowMs() - startedMs > CHOSEN_MODELS_MS;
    if (asked.length === 0 && index > 0 && isLate) break;
    const report = (share: number, key: string): void =>
      onProgress({ modelKey: key, ratio: (index + share) / models.length });
    report(0, modelKey ?? 'the best model');
    results.push(
      await benchModel(host, parts, {
        ...request,
        modelKey,
        loaded,
        startedMs,
        signal,
        report,
        predictedLoad: (key) =>
          listed.find(({ profile }) => profile.modelKey === key)?.speed?.loadMs ?? null,
      }),
    );
  }
  return results;
}

interface OneModel extends BenchRequest {
  /** Null: the best model that fits. */
  readonly modelKey: string | null;
  /** Instances that were loaded before. */
  readonly loaded: ReadonlySet<string>;
  /** When the benchmark began, in epoch milliseconds: the autopilot may load a model before its turn. */
  readonly startedMs: number;
  readonly signal: AbortSignal;
  readonly report: (share: number, modelKey: string) => void;
  /** The predicted time of a load; null where nothing is known. */
  readonly predictedLoad: (modelKey: string) => SpeedRange | null;
}

async function benchModel(
  host: Parameters<typeof benchModels>[0],
  parts: HostParts,
  { modelKey, loaded, startedMs, signal, report, predictedLoad, ...request }: OneModel,
): Promise<BenchResult> {
  const { modelTimeoutMs = DEFAULT_MODEL_TIMEOUT_MS } = request;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(modelTimeoutMs)]);
  /** The failure of this model alone. @throws the signal's reason, and every error that is not about a model */
  const failureOf = (error: unknown, model: string): HostError | RuntimeError => {
    signal.throwIfAborted();
    if (isHostError(error) || isRuntimeError(error)) return error;
    if (!bounded.aborted) throw error;
    const message = `${model} was not measured within ${formatDuration(modelTimeoutMs)}. Measure a smaller model, or close other programs.`;
    return new HostError('ANSWER_FAILED', message, { cause: error });
  };
  const nothing = { decode: null, prompt: null, load: null, othersCpuRatio: null };
  const link = await parts.runtime.link(signal);
  const speeds = await speedsOfRuntime(parts, link);
  const othersCpu = () => readOthersCpu(parts.monitor.port, link, bounded);
  let lease: ServingLease;
  try {
    lease = await host.serving.acquire({ ...NO_REQUEST, modelKey }, { signal: bounded });
  } catch (error) {
    const model = modelKey ?? 'auto';
    return { modelKey: model, ...nothing, failure: failureOf(error, model) };
  }
  const { instanceIdentifier } = lease;
  try {
    report(0.3, lease.modelKey);
    const subject = await (await parts.learner()).subjectOf(instanceIdentifier);
    const loadNow = speeds.lastLoad(lease.modelKey);
    const isNew = loadNow !== null && loadNow.timestampMs >= startedMs;
    const load =
      isNew && !loaded.has(instanceIdentifier)
        ? {
            measured: loadNow.loadMs,
            before: predictedLoad(lease.modelKey),
            after: subject && (speeds.speedOf(subject)?.loadMs ?? null),
          }
        : null;
    const before = subject === null ? null : predictor(speeds, subject);
    const cpuBefore = await othersCpu();
    const times = await measure(lease, request, bounded, (share) =>
      report(0.3 + 0.7 * share, lease.modelKey),
    );
    const questions = times.map((one) => ({ one, before: before?.(one) ?? null }));
    const cpuAfter = await othersCpu();
    const othersCpuRatio =
      cpuBefore === null && cpuAfter === null ? null : Math.max(cpuBefore ?? 0, cpuAfter ?? 0);
    const learner = await parts.learner();
    for (const one of times) {
      const answer = { modelKey: lease.modelKey, instanceIdentifier, ...one };
      await learner.answered(answer, () => Promise.resolve(othersCpuRatio));
    }
    const after = subject === null ? null : predictor(speeds, subject);
    const figures = questions.map(({ one, before: then }) => {
      const now = after?.(one) ?? null;
      return {
        decode: figureOf(one.output, then?.decode ?? null, now?.decode ?? null),
        prompt: figureOf(one.prompt, then?.prompt ?? null, now?.prompt ?? null),
      };
    });
    return {
      modelKey: lease.modelKey,
      decode: figures[0]?.decode ?? null,
      prompt: figures.at(-1)?.prompt ?? null,
      load,
      othersCpuRatio,
      failure: null,
    };
  } catch (error) {
    return { modelKey: lease.modelKey, ...nothing, failure: failureOf(error, lease.modelKey) };
  } finally {
    await lease.release();
    if (!loaded.has(instanceIdentifier)) await unloadAgain(host, instanceIdentifier);
  }
}

/** Unloads a measured model. It stays where somebody else uses it meanwhile, and may be unloaded already. */
export async function unloadAgain(
  host: Pick<Host, 'unload'>,
  instanceIdentifier: string,
): Promise<void> {
  try {
    await host.unload({ target: instanceIdentifier });
  } catch (error) {
    // The figures were measured, so neither is a fault.
    const isLeft =
      isRuntimeError(error) && ['LOAD_REFUSED', 'INSTANCE_NOT_FOUND'].includes(error.code);
    if (!isLeft) throw error;
  }
}

/** A short prompt with a long answer, then a long prompt with a short answer. */
async function measure(
  lease: ServingLease,
  { promptWords = DEFAULT_PROMPT_WORDS, generatedTokens = DEFAULT_GENERATED_TOKENS }: BenchRequest,
  signal: AbortSignal,
  report: (share: number) => void,
): Promise<readonly AnswerTimes[]> {
  const { baseUrl, requestHeaders, instanceIdentifier } = lease;
  const ask = (words: number, maxTokens: number) =>
    timeAnswer({
      baseUrl,
      requestHeaders,
      instanceIdentifier,
      signal,
      maxTokens,
      prompt: promptOf(words),
    });
  const first = await ask(Math.min(FIRST_WORDS, promptWords), generatedTokens);
  report(0.5);
  const msPerWord = (first.prompt?.ms ?? 0) / FIRST_WORDS;
  const context = lease.contextLengthTokens ?? Infinity;
  const tokensPerWord = (first.prompt?.tokens ?? FIRST_WORDS) / FIRST_WORDS;
  const most = Math.min(
    promptWords,
    msPerWord > 0 ? PROMPT_MS / msPerWord : Infinity,
    (context * 0.8) / tokensPerWord,
  );
  if (most < 2 * FIRST_WORDS) return [first];
  const second = await ask(Math.floor(most), Math.min(16, generatedTokens));
  return [first, second];
}

/** Words that no earlier prompt had, so that the engine's cache holds none of them. */
function promptOf(words: number): string {
  const stamp = crypto.randomUUID().slice(0, 8);
  const list = Array.from({ length: words }, (_, index) => `${index % 10}`).join(' ');
  return `${stamp} Count on from these numbers, as far as you can: ${list}`;
}

type Predict = (times: AnswerTimes) => { decode: SpeedRange | null; prompt: SpeedRange | null };

/** Predictions for the questions that were measured, with what is known when this is called. */
function predictor(speeds: Speeds, subject: SpeedSubject): Predict {
  return ({ output, prompt, depthTokens }) => ({
    decode: output && speeds.decodeAt(subject, depthTokens + output.tokens / 2),
    prompt: prompt && speeds.promptOf(subject, prompt.tokens),
  });
}

function figureOf(
  measured: AnswerTimes['output'],
  before: SpeedRange | null,
  after: SpeedRange | null,
): BenchFigure | null {
  return measured === null
    ? null
    : { measured: (measured.tokens / measured.ms) * 1000, before, after };
}
