// What one or two measurements of a machine do for its other predictions.
import { byDevice, deviceOf } from './records.mjs';
import { internals } from './internals.mjs';

const PAIRS_MAX = 25;
const ALIKE = ['backend', 'model', 'engine', 'build', 'fa', 'kvType', 'test', 'tokens', 'ubatch'];

/** The prediction of a test after others were measured, by the constants of the test's fold. */
export function predictAfter(seen, { question, parameters, likeness }) {
  const model = internals.createSpeedModelWith(
    { decode: parameters, prompt: parameters, decodeLikeness: likeness, promptLikeness: likeness },
    seen.map((one) => ({ ...one.question, tokensPerSecond: one.record.tokensPerSecond })),
  );
  return question.test === 'prompt'
    ? model.prompt(question, question.promptTokens)
    : model.decode({
        ...question,
        depthTokens: question.depthTokens + question.generatedTokens / 2,
      });
}

/** The relative error of a speed. */
export function errorOf(tokensPerSecond, { record }) {
  return Math.abs(tokensPerSecond / record.tokensPerSecond - 1);
}

/**
 * Pairs of results of one device and back end, where one is seen and the other is predicted. At most `PAIRS_MAX` for each that
 * is seen, evenly spread.
 */
export function pairs(tests, isPair) {
  return byDevice(tests).flatMap((ofDevice) =>
    ofDevice.flatMap((seen) => {
      const others = ofDevice.filter(
        (test) =>
          test !== seen && test.record.backend === seen.record.backend && isPair(seen, test),
      );
      const count = Math.min(PAIRS_MAX, others.length);
      return Array.from({ length: count }, (_, i) => ({
        seen,
        test: others[Math.floor((i * others.length) / count)],
      }));
    }),
  );
}

export function isSameModel(a, b) {
  return a.traits.model === b.traits.model;
}

/** The same model in another quantization, at another depth or split, or of another prompt. */
export function isVariant(a, b) {
  return (
    isSameModel(a, b) &&
    ['quant', 'depth', 'gpuLayers', 'cpuMoeLayers', 'class', 'sizeBytes', 'tokens'].some(
      (field) => a.record[field] !== b.record[field],
    )
  );
}

/** Results inside a sweep of layers or experts in RAM, with the results at its two ends. */
export function insideSweeps(tests) {
  const groups = new Map();
  for (const test of tests) {
    const key = sweepOf(test);
    groups.set(key, [...(groups.get(key) ?? []), test]);
  }
  return [...groups.values()].flatMap((group) => {
    const sorted = [...group].sort((a, b) => inRam(a) - inRam(b));
    const [first, last] = [sorted[0], sorted.at(-1)];
    return sorted
      .filter((test) => inRam(test) > inRam(first) && inRam(test) < inRam(last))
      .map((test) => ({ seen: [first, last], test }));
  });
}

function sweepOf({ record }) {
  return [
    deviceOf(record),
    ...[...ALIKE, 'quant', 'sizeBytes', 'depth'].map((field) => record[field]),
  ].join('|');
}

function inRam({ question }) {
  const { offloadRatio, cpuExpertRatio } = question.placement;
  return 1 - offloadRatio + cpuExpertRatio;
}

/** Pairs of ways to run a model on a device whose speeds differ by 15 % or more. */
export function ways(tests) {
  const isWay = (a, b) =>
    isSameModel(a, b) &&
    a.record.depth === b.record.depth &&
    ['quant', 'gpuLayers', 'cpuMoeLayers', 'class', 'backend', 'kvType'].some(
      (field) => a.record[field] !== b.record[field],
    );
  return byDevice(tests).flatMap((ofDevice) =>
    ofDevice.flatMap((one, index) =>
      ofDevice
        .slice(index + 1)
        .filter((other) => {
          const ratio = one.record.tokensPerSecond / other.record.tokensPerSecond;
          return isWay(one, other) && Math.max(ratio, 1 / ratio) >= 1.15;
        })
        .map((other) => [one, other]),
    ),
  );
}
