import type { Resources } from '@mai/memory-ledger';
import type { ResidentInstance } from '@mai/lmstudio-adapter';
import { engineOfInstance } from '../engine/load-engine.js';
import type { HostParts } from '../host-parts.js';
import type { Downloads } from '../models/downloads.js';
import type { MeasuredAnswer } from '../serving/serving.js';
import { listDownloadsNow } from '../session.js';
import type { SpeedSubject } from './speed-subject.js';

/** Learns the speeds of this machine from answers and loads. */
export interface SpeedLearner {
  /** The model, load and machine that decide a resident's speed; null where it is not on this machine, or not known. */
  subjectOf(instanceIdentifier: string): Promise<SpeedSubject | null>;
  /** Learns from an answer. Never rejects. */
  answered(answer: MeasuredAnswer): Promise<void>;
  /** Learns from a load. Never rejects. */
  loaded(instance: ResidentInstance, tookMs: number): Promise<void>;
}

/** Age from which the GPUs and the downloads are read again. Both change seldom. */
const FACTS_FRESH_MS = 600_000;
/** Number of a resident's first answers, which are all stored. Of later answers, one in `LATER_EVERY_MS` is stored. */
const FIRST_ANSWERS = 10;
const LATER_EVERY_MS = 30_000;
/** Residents whose number of answers is kept. */
const COUNTED_MAX = 100;

/** Creates a learner that reads nothing before its first call. */
export function createSpeedLearner(parts: HostParts): SpeedLearner {
  const { clock, warn, signal } = parts.context;
  let facts: { readonly atMs: number; readonly value: Promise<Facts> } | null = null;
  const residents = new Map<string, ResidentInstance>();
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
    if (known !== undefined) return known;
    const link = await parts.runtime.link(signal);
    if (link.kind === 'off' || !link.client.host.isLocal) return null;
    residents.clear();
    for (const one of await link.client.listResidents({ signal })) {
      if (one.deviceIdentifier === null) residents.set(one.instanceIdentifier, one);
    }
    return residents.get(instanceIdentifier) ?? null;
  };

  const subjectOfInstance = async (instance: ResidentInstance): Promise<SpeedSubject | null> => {
    const { downloads, resources, subjects } = await factsNow();
    const found = await downloads.find(instance.variant ?? instance.modelKey);
    const files = (await downloads.filesOfResident(instance)) ?? found?.files ?? null;
    const { contextLengthTokens } = instance;
    return subjects.find({
      model: found?.model ?? null,
      files,
      loadConfig: { ...instance.loadConfig, contextLengthTokens },
      resources,
      engine: engineOfInstance(downloads.engine, instance),
    });
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

  /** Handles measurements one after another, so that no write loses an earlier measurement. */
  let last = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    last = last.then(work).catch((error: unknown) => {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      warn(`The speed of an answer or a load can't be learned: ${message}`);
    });
    return last;
  };

  const subjectOf = async (instanceIdentifier: string): Promise<SpeedSubject | null> => {
    const instance = await residentOf(instanceIdentifier);
    return instance === null ? null : subjectOfInstance(instance);
  };

  return {
    subjectOf,
    answered: ({ modelKey, instanceIdentifier, prompt, output, depthTokens }) =>
      inTurn(async () => {
        if (!isWorthStoring(instanceIdentifier)) return;
        const subject = await subjectOf(instanceIdentifier);
        if (subject === null) return;
        const speeds = await parts.speeds();
        if (prompt !== null) {
          await speeds.learn(modelKey, subject, {
            ...{ test: 'prompt', tokens: prompt.tokens },
            depthTokens: Math.max(0, depthTokens - prompt.tokens),
            tokensPerSecond: (prompt.tokens / prompt.ms) * 1000,
          });
        }
        if (output !== null) {
          await speeds.learn(modelKey, subject, {
            ...{ test: 'decode', tokens: output.tokens, depthTokens },
            tokensPerSecond: (output.tokens / output.ms) * 1000,
          });
        }
      }),
    loaded: (instance, tookMs) => {
      // The name may have stood for an instance with other settings before.
      residents.delete(instance.instanceIdentifier);
      return inTurn(async () => {
        const link = await parts.runtime.link(signal);
        if (instance.deviceIdentifier !== null || link.kind === 'off') return;
        if (!link.client.host.isLocal) return;
        const subject = await subjectOfInstance(instance);
        if (subject === null) return;
        await (await parts.speeds()).learnLoad(instance.modelKey, subject, tookMs);
      });
    },
  };
}

/** The facts of the machine that complete a measurement. */
interface Facts {
  readonly downloads: Downloads;
  readonly resources: Resources;
  readonly subjects: ReturnType<
    Awaited<ReturnType<HostParts['estimation']>>['createSubjectFinder']
  >;
}

async function readFacts(parts: HostParts): Promise<Facts> {
  const { signal } = parts.context;
  const [{ createSubjectFinder, headers }, speeds, downloads, resources] = await Promise.all([
    parts.estimation(),
    parts.speeds(),
    listDownloadsNow(parts, undefined),
    parts.monitor.port.snapshot({ signal }),
  ]);
  return { downloads, resources, subjects: createSubjectFinder(headers, speeds) };
}
