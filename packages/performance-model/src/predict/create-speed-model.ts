import { learnCorrections, type Correction } from '../learning/corrections.js';
import { covarianceOf, type Traits } from '../learning/likeness.js';
import { intervalOf, type SpeedInterval } from './interval.js';
import { traitsOf, type SpeedQuestion } from './traits-of.js';
import { decodeParts, type DecodeParts } from '../physics/decode-parts.js';
import { DECODE_LIKENESS, PROMPT_LIKENESS } from '../physics/parameters.generated.js';
import { promptParts, type PromptParts } from '../physics/prompt-parts.js';
import type { Likeness } from '../physics/parameters.js';

/** One measurement. */
export type SpeedObservation = SpeedQuestion & {
  readonly tokensPerSecond: number;
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
  /** Whether an observation is of this model, in any quantization or placement. */
  hasMeasured(model: string): boolean;
}

/** Measurements of one kind beyond this number are left out, oldest first. */
const OBSERVATIONS_MAX = 64;

/**
 * Predictions of a machine from physics, corrected by what was measured on that machine. Pure: the same measurements
 * give the same predictions.
 *
 * @param observations - oldest first
 */
export function createSpeedModel(observations: readonly SpeedObservation[] = []): SpeedModel {
  const learn = <Test extends SpeedObservation['test']>(
    test: Test,
    likeness: Likeness,
    parts: (observation: SpeedObservation) => DecodeParts | PromptParts,
  ): ((traits: Traits) => Correction) =>
    learnCorrections(
      current(observations.filter((one) => one.test === test)).map((one) => {
        const { seconds, traits } = traitsOf(one, parts(one));
        return { traits, error: Math.log(1 / one.tokensPerSecond / seconds) };
      }),
      covarianceOf(likeness),
      likeness.noise,
    );
  const measured = new Set(observations.map(({ identity }) => identity.model));
  const correctDecode = learn('decode', DECODE_LIKENESS, decodeOf);
  const correctPrompt = learn('prompt', PROMPT_LIKENESS, promptOf);
  return {
    decode: (question) =>
      predict(question, decodeParts(question, question.depthTokens), correctDecode),
    prompt: (question, promptTokens) =>
      predict(question, promptParts(question, promptTokens, question.depthTokens), correctPrompt),
    hasMeasured: (name) => measured.has(name),
  };
}

function decodeOf(one: SpeedObservation): DecodeParts {
  const generated = one.test === 'decode' ? one.generatedTokens : 0;
  return decodeParts(one, one.depthTokens + generated / 2);
}

function promptOf(one: SpeedObservation): PromptParts {
  return promptParts(one, one.test === 'prompt' ? one.promptTokens : 1, one.depthTokens);
}

/** Leaves out measurements of an older version of an engine where the model was measured with a newer one. */
function current(observations: readonly SpeedObservation[]): readonly SpeedObservation[] {
  const engineOf = new Map(
    observations.map(({ identity, machine }) => [
      `${identity.model} ${machine.gpu?.backend ?? 'cpu'}`,
      identity.engine,
    ]),
  );
  return observations
    .filter(
      ({ identity, machine }) =>
        engineOf.get(`${identity.model} ${machine.gpu?.backend ?? 'cpu'}`) === identity.engine,
    )
    .slice(-OBSERVATIONS_MAX);
}

function predict<Parts extends DecodeParts | PromptParts>(
  question: SpeedQuestion,
  parts: Parts,
  correct: (traits: Traits) => Correction,
): SpeedPrediction<Parts> {
  const { seconds, traits } = traitsOf(question, parts);
  const correction = correct(traits);
  return {
    ...intervalOf(seconds, correction),
    parts,
    correction: Math.exp(correction.mean),
  };
}
