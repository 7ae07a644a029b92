// Predictions for devices that a fit has not seen.
import { fitDecode } from './fit/fit-decode.mjs';
import { fitLikeness } from './fit/fit-likeness.mjs';
import { engineFactor } from './engine-progress.mjs';
import { fitPrompt } from './fit/fit-prompt.mjs';
import { deviceOf, meanDepth, questionOf, readRecords } from './results/records.mjs';
import { internals } from './internals.mjs';

const FOLDS = 10;

/** The results of one test, with the questions that ask for them. */
export function testsOf(test) {
  return readRecords()
    .map((record) => ({ record, question: questionOf(record) }))
    .filter(({ question }) => question.test === test);
}

/**
 * Predicts each test by constants that were fitted without its device: adds these `parameters`, `seconds`, `traits`, `engine` (see
 * `engineFactor`), `error`, and its `fold`.
 */
export function crossValidate(tests) {
  const devices = [...new Set(tests.map(({ record }) => deviceOf(record)))].sort();
  const foldOf = ({ record }) => (devices.indexOf(deviceOf(record)) * 7) % FOLDS;
  return Array.from({ length: FOLDS }, (_, fold) => {
    const fit = tests[0].question.test === 'decode' ? fitDecode : fitPrompt;
    const parameters = fit(tests.filter((one) => foldOf(one) !== fold));
    return tests
      .filter((one) => foldOf(one) === fold)
      .map((one) => ({ ...withError(one, parameters), fold }));
  }).flat();
}

/** Adds the likeness that was fitted without the fold of each test. */
export function withLikeness(tests) {
  const likenesses = Array.from({ length: FOLDS }, (_, fold) =>
    fitLikeness(tests.filter((one) => one.fold !== fold)),
  );
  return tests.map((one) => ({ ...one, likeness: likenesses[one.fold] }));
}

/** Adds the parts that the constants predict, and the error. */
export function withError(test, parameters) {
  const { question, record } = test;
  const parts =
    question.test === 'decode'
      ? internals.decodeParts(question, meanDepth(question), parameters)
      : internals.promptParts(question, question.promptTokens, question.depthTokens, parameters);
  const { seconds: today, traits } = internals.traitsOf(question, parts);
  const engine = engineFactor(record, question, parameters.progress, today);
  const seconds = today * engine;
  return {
    ...test,
    parameters,
    traits,
    seconds,
    engine,
    error: -Math.log(record.tokensPerSecond * seconds),
  };
}
