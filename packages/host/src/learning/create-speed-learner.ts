import type { HostParts } from '../host-parts.js';
import { readOthersCpu } from '../speeds/others-cpu.js';
import { speedsOfRuntime } from '../speeds/speeds-of-runtime.js';
import { messageOf } from '../guards.js';
import {
  createAnswerFilter,
  type AnswerSource,
  type AnswerSpeeds,
  type TokenSpeed,
} from './answer-filter.js';
import { createResidentSubjects } from './resident-subjects.js';
import type { MeasuredAnswer, OthersReading, SpeedLearner } from './speed-learner.js';

/** Fewer tokens say little about the speed: the time of a single pause would count as much. */
const LOGGED_TOKENS_MIN = 16;

/** Creates a learner that reads nothing before its first call. */
export function createSpeedLearner(parts: HostParts): SpeedLearner {
  const { clock, warn, signal } = parts.context;
  const subjects = createResidentSubjects(parts);
  const filter = createAnswerFilter(clock);

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
      return (await subjects.residentOf(instanceIdentifier))?.modelKey ?? null;
    } catch (error) {
      warnOf(error);
      return null;
    }
  };

  const readOthersNow: OthersReading = async () =>
    readOthersCpu(parts.monitor.port, await parts.runtime.link(signal), signal);

  const learnAnswer = (
    by: AnswerSource,
    answer: AnswerSpeeds,
    readOthersRatio: OthersReading,
  ): Promise<void> => {
    const { modelKey, instanceIdentifier, prompt, depthTokens } = answer;
    return inTurn(async () => {
      const output = filter.isReportedTwice(by, answer) ? null : answer.output;
      if (prompt === null && output === null) return;
      if (!filter.isWorthStoring(instanceIdentifier)) return;
      const subject = await subjects.of(instanceIdentifier);
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
    subjectOf: (instanceIdentifier) => subjects.of(instanceIdentifier),
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
      subjects.forget(instance.instanceIdentifier);
      return inTurn(async () => {
        const link = await parts.runtime.link(signal);
        if (instance.deviceIdentifier !== null || link.kind === 'off') return;
        const subject = await subjects.ofInstance(instance);
        if (subject === null) return;
        const speeds = await speedsOfRuntime(parts, link);
        await speeds.learnLoad(instance.modelKey, subject, tookMs);
      });
    },
  };
}

function speedIn(timed: MeasuredAnswer['output']): TokenSpeed | null {
  return timed === null
    ? null
    : { tokens: timed.tokens, tokensPerSecond: (timed.tokens / timed.ms) * 1000 };
}
