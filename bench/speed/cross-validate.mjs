// Predictions for devices that a fit has not seen.
import { fitDecode } from './fit-decode.mjs';
import { fitPrompt } from './fit-prompt.mjs';
import { deviceOf, questionOf, readRecords } from './records.mjs';
import { internals } from './internals.mjs';

const FOLDS = 10;

/** The results of one test, with the questions that ask for them. */
export function testsOf(test) {
  return readRecords()
    .map((record) => ({ record, question: questionOf(record) }))
    .filter(({ question }) => question.test === test);
}

/** Adds to each test the error of a prediction by constants that were fitted without its device. */
export function crossValidate(tests) {
  const devices = [...new Set(tests.map(({ record }) => deviceOf(record)))].sort();
  const foldOf = ({ record }) => (devices.indexOf(deviceOf(record)) * 7) % FOLDS;
  return Array.from({ length: FOLDS }, (_, fold) => {
    const fit = tests[0].question.test === 'decode' ? fitDecode : fitPrompt;
    const parameters = fit(tests.filter((one) => foldOf(one) !== fold));
    return tests.filter((one) => foldOf(one) === fold).map((one) => withError(one, parameters));
  }).flat();
}

/** Adds the parts that the constants predict, and the error. */
export function withError(test, parameters) {
  const { question, record } = test;
  const parts =
    question.test === 'decode'
      ? internals.decodeParts(
          question,
          question.depthTokens + question.generatedTokens / 2,
          parameters,
        )
      : internals.promptParts(question, question.promptTokens, question.depthTokens, parameters);
  const { seconds, traits } = internals.traitsOf(question, parts);
  return { ...test, traits, seconds, error: -Math.log(record.tokensPerSecond * seconds) };
}
