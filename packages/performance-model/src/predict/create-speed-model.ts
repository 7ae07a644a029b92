import { errorBetween } from '../learning/between-splits.js';
import { isPossibleError, learnCorrections, type Correction } from '../learning/corrections.js';
import { covarianceOf, isRepeat, type Traits } from '../learning/likeness.js';
import { decodeParts, type DecodeParts } from '../physics/decode-parts.js';
import {
  DECODE_LIKENESS,
  DECODE_PARAMETERS,
  PROMPT_LIKENESS,
  PROMPT_PARAMETERS,
} from '../physics/parameters.generated.js';
import type { DecodeParameters, Likeness, PromptParameters } from '../physics/parameters.js';
import { promptParts, type PromptParts } from '../physics/prompt-parts.js';
import { isScalar, readsRam } from '../physics/question.js';
import { intervalOf, type SpeedInterval } from './interval.js';
import { traitsOf, type SpeedQuestion } from './traits-of.js';

/** One measurement. */
export type SpeedObservation = SpeedQuestion & {
  readonly tokensPerSecond: number;
  /**
   * Share of the CPU that other programs used meanwhile, 0 to 1. Null: not known; then it counts as 0. The more they used, the less the
   * measurement counts.
   */
  readonly othersCpuRatio: number | null;
} & (
    | { readonly test: 'decode'; readonly generatedTokens: number }
    | { readonly test: 'prompt'; readonly promptTokens: number }
  );

/** A prediction with an interval that holds 90 % of the measurements. */
export interface SpeedPrediction<Parts> extends SpeedInterval {
  /** Seconds of one token by cause, before the correction by measurements. */
  readonly parts: Parts;
  /** Factor by which measurements of this machine changed the time; 1 without measurements. */
  readonly correction: number;
}

/** Predictions for one machine. */
export interface SpeedModel {
  /** Generated tokens per second at a depth. */
  decode(question: SpeedQuestion): SpeedPrediction<DecodeParts>;
  /** Tokens per second of a prompt of `promptTokens`. */
  prompt(question: SpeedQuestion, promptTokens: number): SpeedPrediction<PromptParts>;
  /**
   * Whether an observation is of this model on this back end, in any quantization or placement. Observations of builds without vector
   * instructions do not count for builds with them, and the other way round, where weights in RAM are read.
   */
  hasMeasured(question: SpeedQuestion): boolean;
}

/** The constants that `bench/speed/fit.mjs` fits. */
export interface SpeedConstants {
  readonly decode: DecodeParameters;
  readonly prompt: PromptParameters;
  readonly decodeLikeness: Likeness;
  readonly promptLikeness: Likeness;
}

/** The most that the load of other programs adds to the noise. So a machine that is never idle is learned, too. */
const NOISE_OF_OTHERS_MAX = 0.2;
/** Only this many measurements of one kind count, the newest ones. Builds with and without vector instructions are two kinds. */
const OBSERVATIONS_MAX = 64;

/**
 * Predictions of a machine from physics, corrected by what was measured on that machine. Pure: the same measurements
 * give the same predictions.
 *
 * @param observations - oldest first. Those without a finite speed above 0 are left out, and those that are a thousand times faster or
 *   slower than the physics.
 */
export function createSpeedModel(observations: readonly SpeedObservation[] = []): SpeedModel {
  return createSpeedModelWith(
    {
      decode: DECODE_PARAMETERS,
      prompt: PROMPT_PARAMETERS,
      decodeLikeness: DECODE_LIKENESS,
      promptLikeness: PROMPT_LIKENESS,
    },
    observations,
  );
}

/** `createSpeedModel` with other constants, which the bench fits without the devices that it predicts. */
export function createSpeedModelWith(
  constants: SpeedConstants,
  observations: readonly SpeedObservation[],
): SpeedModel {
  const decodeAt = (question: SpeedQuestion): DecodeParts =>
    decodeParts(question, question.depthTokens, constants.decode);
  const promptOf = (question: SpeedQuestion, promptTokens: number): PromptParts =>
    promptParts(question, promptTokens, question.depthTokens, constants.prompt);
  const current = currentObservations(observations);
  const latest = (test: SpeedObservation['test']): readonly SpeedObservation[] =>
    [false, true].flatMap((scalar) =>
      current
        .filter((one) => one.test === test && isScalar(one) === scalar)
        .slice(-OBSERVATIONS_MAX),
    );
  const decodes = latest('decode').flatMap((one) => {
    const generated = one.test === 'decode' ? one.generatedTokens : 0;
    // The mean depth of the generated tokens.
    const question = { ...one, depthTokens: one.depthTokens + generated / 2 };
    return measurementOf(question, decodeAt(question), one);
  });
  const prompts = latest('prompt').flatMap((one) =>
    measurementOf(one, promptOf(one, one.test === 'prompt' ? one.promptTokens : 1), one),
  );
  const correctDecode = correctionsOf(decodes, constants.decodeLikeness);
  const correctPrompt = correctionsOf(prompts, constants.promptLikeness);
  return {
    decode: (question) => {
      const parts = decodeAt(question);
      const { seconds, traits } = traitsOf(question, parts);
      const learned = correctDecode(question)(traits);
      const error = errorBetween(
        traits.ramShare,
        decodes
          .filter((one) => isOtherSplit(one.question, question))
          .map((one) => {
            // The physics moves the measurement to the depth of the question.
            const at = { ...one.question, depthTokens: question.depthTokens };
            const predicted = traitsOf(at, decodeAt(at)).seconds;
            return {
              ramShare: one.traits.ramShare,
              seconds: predicted * (Math.exp(one.error) - 1),
            };
          }),
      );
      const mean =
        error === null ? learned.mean : Math.log(Math.max(seconds + error, seconds / 10) / seconds);
      return predictionOf(seconds, parts, { ...learned, mean });
    },
    prompt: (question, promptTokens) => {
      const parts = promptOf(question, promptTokens);
      const { seconds, traits } = traitsOf(question, parts);
      return predictionOf(seconds, parts, correctPrompt(question)(traits));
    },
    hasMeasured: (question) =>
      [...decodes, ...prompts].some(
        (one) =>
          one.traits.model === question.identity.model &&
          one.question.machine.gpu?.backend === question.machine.gpu?.backend &&
          saysSomethingOf(one.question, isScalar(question)),
      ),
  };
}

interface Measurement {
  readonly question: SpeedQuestion;
  readonly traits: Traits;
  /** Natural logarithm of the measured time over the predicted time. */
  readonly error: number;
  readonly extraNoise: number;
}

/** The measurement as the only element; an empty list for an impossible measurement. */
function measurementOf(
  question: SpeedQuestion,
  parts: DecodeParts | PromptParts,
  { tokensPerSecond, othersCpuRatio }: Pick<SpeedObservation, 'tokensPerSecond' | 'othersCpuRatio'>,
): readonly Measurement[] {
  const { seconds, traits } = traitsOf(question, parts);
  const error = Math.log(1 / tokensPerSecond / seconds);
  const extraNoise = noiseOfOthers(othersCpuRatio ?? 0);
  return isPossibleError(error) ? [{ question, traits, error, extraNoise }] : [];
}

/** Other programs can take as much of the speed as they take of the CPU. Whether they did is not known, so this is noise. */
function noiseOfOthers(cpuRatio: number): number {
  return Math.min(NOISE_OF_OTHERS_MAX, -Math.log1p(-Math.min(1, Math.max(0, cpuRatio))));
}

/** Returns the corrections that are for a question: builds with and without vector instructions learn apart. */
function correctionsOf(
  measurements: readonly Measurement[],
  likeness: Likeness,
): (question: SpeedQuestion) => (traits: Traits) => Correction {
  const learn = (scalar: boolean): ((traits: Traits) => Correction) =>
    learnCorrections(
      measurements.filter((one) => saysSomethingOf(one.question, scalar)),
      covarianceOf(likeness),
      likeness.noise,
      isRepeat,
    );
  const corrections = { vector: learn(false), scalar: learn(true) };
  return (question) => corrections[isScalar(question) ? 'scalar' : 'vector'];
}

/** Whether a measurement says something of a build with, or without, vector instructions. With all weights on the GPU, it does of both. */
function saysSomethingOf(measured: SpeedQuestion, scalar: boolean): boolean {
  return !readsRam(measured) || isScalar(measured) === scalar;
}

/**
 * Leaves out measurements of an older version of an engine where the model was measured with a newer one of the same name. The speed model does so
 * itself; what else is derived from measurements, such as the bandwidth of a device, must do so, too.
 *
 * @param observations - oldest first
 */
export function currentObservations<Observation extends SpeedObservation>(
  observations: readonly Observation[],
): readonly Observation[] {
  const keyOf = ({ identity, machine, test }: SpeedObservation): string =>
    `${test} ${identity.model} ${machine.gpu?.backend ?? 'cpu'} ${nameOfEngine(identity.engine)}`;
  const engines = new Map(observations.map((one) => [keyOf(one), one.identity.engine]));
  return observations.filter((one) => engines.get(keyOf(one)) === one.identity.engine);
}

/** The name of an engine without its version. */
export function nameOfEngine(engine: string): string {
  return engine.replace(/@.*$/, '');
}

/** Whether two questions are about the same file with another share of it in RAM: of its layers or of its experts. The depth may differ, too. */
function isOtherSplit(a: SpeedQuestion, b: SpeedQuestion): boolean {
  const isExpertSweep = a.placement.offloadRatio === b.placement.offloadRatio;
  const isLayerSweep = a.placement.cpuExpertRatio === b.placement.cpuExpertRatio;
  return (
    (isExpertSweep || isLayerSweep) &&
    a.identity.model === b.identity.model &&
    a.identity.quantization === b.identity.quantization &&
    a.identity.engine === b.identity.engine &&
    a.shape.weightBytes === b.shape.weightBytes &&
    // An engine without GPUs takes another path: it arranges the weights for the CPU.
    a.machine.gpu?.backend === b.machine.gpu?.backend &&
    a.placement.kvCacheType === b.placement.kvCacheType
  );
}

function predictionOf<Parts extends DecodeParts | PromptParts>(
  seconds: number,
  parts: Parts,
  correction: Correction,
): SpeedPrediction<Parts> {
  return {
    ...intervalOf(seconds, correction),
    parts,
    correction: Math.exp(correction.mean),
  };
}
