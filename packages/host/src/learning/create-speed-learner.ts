import type { ResidentInstance } from '@mai/lmstudio-adapter';
import { engineOfInstance } from '../engine/load-engine.js';
import type { HostParts } from '../host-parts.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { surveyMachine } from '../runtime/compose-ports.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import { listDownloadsNow } from '../session/session.js';
import { guessSubject } from '../speeds/guess-subject.js';
import type { SpeedResources, SpeedSubject } from '../speeds/speed-subject.js';
import { readOthersCpu } from '../speeds/others-cpu.js';
import { speedsOfRuntime } from '../speeds/speeds-of-runtime.js';
import { messageOf } from '../guards.js';
import type { MeasuredAnswer, OthersReading, SpeedLearner } from './speed-learner.js';

/** Age from which the GPUs and the downloads are read again. Both change seldom. */
const FACTS_FRESH_MS = 600_000;
/** Age from which the residents are listed again: a person may have loaded one again with other settings. */
const RESIDENTS_FRESH_MS = 60_000;
/** Number of a resident's first answers, which are all stored. Of later answers, one in `LATER_EVERY_MS` is stored. */
const FIRST_ANSWERS = 10;
const LATER_EVERY_MS = 30_000;
/** Residents whose number of answers is kept. */
const COUNTED_MAX = 100;
/** Fewer tokens say little about the speed: the time of a single pause would count as much. */
const LOGGED_TOKENS_MIN = 16;
/** The log and the gateway report the same answer within this time of each other. */
const SAME_ANSWER_MS = 5000;

/** Creates a learner that reads nothing before its first call. */
export function createSpeedLearner(parts: HostParts): SpeedLearner {
  const { clock, warn, signal } = parts.context;
  let facts: { readonly atMs: number; readonly value: Promise<Facts> } | null = null;
  const residents = new Map<string, ResidentInstance>();
  let listedAtMs = -Infinity;
  const counts = new Map<string, { answers: number; storedAtMs: number }>();

  const factsNow = (): Promise<Facts> => {
    const nowMs = clock.monotonicMs();
    if (facts === null || nowMs - facts.atMs > FACTS_FRESH_MS) {
      const value = readFacts(parts);
      facts = { atMs: nowMs, value };
      value.catch(() => (facts = null));
    }
    return facts.value;
  };

  const residentOf = async (instanceIdentifier: string): Promise<ResidentInstance | null> => {
    const known = residents.get(instanceIdentifier);
    const nowMs = clock.monotonicMs();
    if (known !== undefined && nowMs - listedAtMs < RESIDENTS_FRESH_MS) return known;
    const link = await parts.runtime.link(signal);
    if (link.kind === 'off') return null;
    residents.clear();
    listedAtMs = nowMs;
    for (const one of await link.client.listResidents({ signal })) {
      if (one.deviceIdentifier === null) residents.set(one.instanceIdentifier, one);
    }
    return residents.get(instanceIdentifier) ?? null;
  };

  const subjectOfInstance = async (instance: ResidentInstance): Promise<SpeedSubject | null> => {
    const { downloads, resources, subjects } = await factsNow();
    const found = await downloads.find(instance.variant ?? instance.modelKey);
    const files = (await downloads.filesOfResident(instance)) ?? found?.files ?? null;
    const { contextLengthTokens, modelKey } = instance;
    const load = {
      model: found?.model ?? null,
      loadConfig: { ...instance.loadConfig, contextLengthTokens },
      resources,
      engine: engineOfInstance(downloads.engine, instance),
    };
    const sizes = [load.model?.sizeBytes, instance.sizeBytes];
    return (
      (await subjects.find({ ...load, files })) ??
      guessSubject({ ...load, modelKey, sizes, ramBandwidth: null })
    );
  };

  /** Whether an answer is stored. Most answers of a busy resident are not, because their speeds hardly differ. */
  const isWorthStoring = (key: string): boolean => {
    const nowMs = clock.monotonicMs();
    const count = counts.get(key) ?? { answers: 0, storedAtMs: -Infinity };
    count.answers += 1;
    if (count.answers > FIRST_ANSWERS && nowMs - count.storedAtMs < LATER_EVERY_MS) return false;
    count.storedAtMs = nowMs;
    if (counts.size >= COUNTED_MAX) counts.clear();
    counts.set(key, count);
    return true;
  };

  const warnOf = (error: unknown): void => {
    if (signal.aborted) return;
    const message = messageOf(error);
    warn(`The speed of an answer or a load cannot be learned: ${message}`);
  };

  /** Handles measurements one after another, so that no write loses an earlier measurement. */
  let last = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    last = last.then(work).catch(warnOf);
    return last;
  };

  /** Null where the resident is not on this machine. Never rejects. */
  const modelKeyOf = async (instanceIdentifier: string): Promise<string | null> => {
    try {
      return (await residentOf(instanceIdentifier))?.modelKey ?? null;
    } catch (error) {
      warnOf(error);
      return null;
    }
  };

  const subjectOf = async (instanceIdentifier: string): Promise<SpeedSubject | null> => {
    const instance = await residentOf(instanceIdentifier);
    return instance === null ? null : subjectOfInstance(instance);
  };

  /** The answers of the last seconds, by who reported them. */
  let reported: readonly ReportedAnswer[] = [];
  /** Whether the other source has reported this answer: the gateway's answers are in LM Studio's log, too. */
  const isReportedTwice = (by: ReportedAnswer['by'], answer: AnswerSpeeds): boolean => {
    const atMs = clock.monotonicMs();
    reported = reported.filter((one) => Math.abs(atMs - one.atMs) < SAME_ANSWER_MS);
    const before = reported.find((one) => one.by !== by && isSameAnswer(one.answer, answer));
    reported =
      before === undefined
        ? [...reported, { by, answer, atMs }]
        : reported.filter((one) => one !== before);
    return before !== undefined;
  };

  const readOthersNow: OthersReading = async () =>
    readOthersCpu(parts.monitor.port, await parts.runtime.link(signal), signal);

  const learnAnswer = (
    by: ReportedAnswer['by'],
    answer: AnswerSpeeds,
    readOthersRatio: OthersReading,
  ): Promise<void> => {
    const { modelKey, instanceIdentifier, prompt, depthTokens } = answer;
    return inTurn(async () => {
      const output = isReportedTwice(by, answer) ? null : answer.output;
      if (prompt === null && output === null) return;
      if (!isWorthStoring(instanceIdentifier)) return;
      const subject = await subjectOf(instanceIdentifier);
      if (subject === null) return;
      const speeds = await speedsOfRuntime(parts, await parts.runtime.link(signal));
      const othersCpuRatio = await readOthersRatio();
      if (prompt !== null) {
        await speeds.learn(modelKey, subject, {
          test: 'prompt',
          tokens: prompt.tokens,
          depthTokens: Math.max(0, depthTokens - prompt.tokens),
          tokensPerSecond: prompt.tokensPerSecond,
          othersCpuRatio,
        });
      }
      if (output !== null) {
        await speeds.learn(modelKey, subject, {
          test: 'decode',
          tokens: output.tokens,
          depthTokens,
          tokensPerSecond: output.tokensPerSecond,
          othersCpuRatio,
        });
      }
    });
  };

  return {
    subjectOf,
    answered: ({ prompt, output, ...answer }, readOthersRatio = readOthersNow) =>
      learnAnswer(
        'gateway',
        { ...answer, prompt: speedIn(prompt), output: speedIn(output) },
        readOthersRatio,
      ),
    logged: async ({ instanceIdentifier, promptTokens, predictedTokens, tokensPerSecond }) => {
      if (predictedTokens < LOGGED_TOKENS_MIN) return;
      const modelKey = await modelKeyOf(instanceIdentifier);
      if (modelKey === null) return;
      const output = { tokens: predictedTokens, tokensPerSecond };
      await learnAnswer(
        'log',
        { modelKey, instanceIdentifier, prompt: null, depthTokens: promptTokens, output },
        readOthersNow,
      );
    },
    loaded: (instance, tookMs) => {
      // The name may have stood for an instance with other settings before.
      residents.delete(instance.instanceIdentifier);
      return inTurn(async () => {
        const link = await parts.runtime.link(signal);
        if (instance.deviceIdentifier !== null || link.kind === 'off') return;
        const subject = await subjectOfInstance(instance);
        if (subject === null) return;
        const speeds = await speedsOfRuntime(parts, link);
        await speeds.learnLoad(instance.modelKey, subject, tookMs);
      });
    },
  };
}

/** The speeds of an answer; null where they were not measured. */
interface AnswerSpeeds extends Pick<
  MeasuredAnswer,
  'modelKey' | 'instanceIdentifier' | 'depthTokens'
> {
  readonly prompt: TokenSpeed | null;
  readonly output: TokenSpeed | null;
}

interface TokenSpeed {
  readonly tokens: number;
  readonly tokensPerSecond: number;
}

function speedIn(timed: MeasuredAnswer['output']): TokenSpeed | null {
  return timed === null
    ? null
    : { tokens: timed.tokens, tokensPerSecond: (timed.tokens / timed.ms) * 1000 };
}

/** An answer, and who has reported it. */
interface ReportedAnswer {
  readonly by: 'gateway' | 'log';
  readonly answer: AnswerSpeeds;
  readonly atMs: number;
}

/** The gateway may count the first token as a part of the prompt. */
function isSameAnswer(one: AnswerSpeeds, other: AnswerSpeeds): boolean {
  return (
    one.instanceIdentifier === other.instanceIdentifier &&
    one.depthTokens === other.depthTokens &&
    Math.abs((one.output?.tokens ?? 0) - (other.output?.tokens ?? 0)) <= 1
  );
}

/** The facts of the machine that complete a measurement. */
interface Facts {
  readonly downloads: Downloads;
  readonly resources: SpeedResources;
  readonly subjects: ReturnType<
    Awaited<ReturnType<HostParts['estimation']>>['createSubjectFinder']
  >;
}

async function readFacts(parts: HostParts): Promise<Facts> {
  const { signal } = parts.context;
  const [{ createSubjectFinder, headers }, downloads] = await Promise.all([
    parts.estimation(),
    listDownloadsNow(parts, undefined),
  ]);
  const [speeds, resources] = await Promise.all([
    speedsOfRuntime(parts, downloads.link),
    gpusOf(parts, downloads.link, signal),
  ]);
  return { downloads, resources, subjects: createSubjectFinder(headers, speeds) };
}

/** The GPUs of the machine that the runtime loads models on. */
async function gpusOf(
  { monitor }: HostParts,
  link: RuntimeLink,
  signal: AbortSignal,
): Promise<Facts['resources']> {
  if (link.kind === 'off' || link.runtime === 'embedded' || link.client.host.isLocal)
    return monitor.port.snapshot({ signal });
  const { unified, gpus, ramTotalBytes } = await surveyMachine(link.client, { signal });
  return {
    unified,
    ram: { totalBytes: ramTotalBytes },
    gpus: gpus.map((gpu) => ({ ...gpu, vendor: null, availableBytes: null })),
  };
}
