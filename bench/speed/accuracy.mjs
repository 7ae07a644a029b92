// Prints how well @mai/performance-model predicts published speeds of devices that its constants were not fitted to, beside
// llmfit's formula, and judges the targets. Takes some minutes. Build first:
//   node bench/speed/accuracy.mjs
import { createSpeedModel } from '@mai/performance-model';
import { judge, printTable } from '../yardstick/report.mjs';
import { quantile } from '../yardstick/statistics.mjs';
import { crossValidate, testsOf, withLikeness } from './cross-validate.mjs';
import {
  differencesOfRepeats,
  errorOf,
  errorsOfBestLines,
  insideSweeps,
  isSameModel,
  isSameRun,
  isVariant,
  pairs,
  pairsOfBackends,
  predictAfter,
  ways,
} from './learned.mjs';
import { llmfitSpeed } from './llmfit.mjs';
import { byDevice } from './results/records.mjs';

const PREDICTIONS = 20_000;
const decode = withLikeness(crossValidate(testsOf('decode')));
const prompt = withLikeness(crossValidate(testsOf('prompt')));
const rows = [];
const judgements = [];

const cold = (test) => errorOf(1 / test.seconds, test);
const llmfit = (test) => errorOf(llmfitSpeed(test.record), test);
const after = ({ seen, test }) => errorOf(predictAfter([seen].flat(), test).tokensPerSecond, test);
const llmfitAfter = ({ seen, test }) =>
  errorOf(
    (llmfitSpeed(test.record) * seen.record.tokensPerSecond) / llmfitSpeed(seen.record),
    test,
  );

errors('decode, cold', decode, { ours: cold, theirs: llmfit, targets: [0.12, 0.5] });
for (const backend of ['CUDA', 'Vulkan', 'ROCm', 'Metal', 'MLX', 'CPU'])
  errors(`  ${backend}`, ofBackend(decode, backend), { ours: cold, theirs: llmfit });
for (const place of ['experts on cpu', 'partial'])
  errors(
    `  ${place}`,
    decode.filter(({ record }) => record.class === place),
    { ours: cold, theirs: llmfit },
  );
errors('decode, after one of the same model', pairs(decode, isVariant), {
  ours: after,
  theirs: llmfitAfter,
  targets: [0.06, 0.2],
});
const others = pairs(decode, (a, b) => !isSameModel(a, b));
const othersCold = others.map(({ test }) => cold(test));
errors('decode, after one of another model', others, {
  ours: after,
  theirs: llmfitAfter,
  targets: [quantile(othersCold, 0.5), quantile(othersCold, 0.9)],
});
errors('  the same results, cold', others, { ours: ({ test }) => cold(test) });
const elsewhere = pairsOfBackends(decode, (a, b) => !isSameModel(a, b));
const elsewhereCold = elsewhere.map(({ test }) => cold(test));
errors('decode, after one of another model on another back end', elsewhere, {
  ours: after,
  theirs: llmfitAfter,
  targets: [quantile(elsewhereCold, 0.5), quantile(elsewhereCold, 0.9)],
});
errors('  the same results, cold', elsewhere, { ours: ({ test }) => cold(test) });
errors('decode, inside a sweep whose ends were seen', insideSweeps(decode), {
  ours: after,
  targets: [0.015, 0.04],
});
errors('prompt, cold', prompt, { ours: cold, targets: [0.25, 0.6] });
for (const backend of ['CUDA', 'Vulkan', 'ROCm', 'Metal', 'MLX', 'CPU'])
  errors(`  ${backend}`, ofBackend(prompt, backend), { ours: cold });
errors('prompt, after one of the same model', pairs(prompt, isVariant), {
  ours: after,
  targets: [0.1, 0.35],
});
printTable(['relative error', 'n', 'median', 'p90', 'llmfit median', 'p90'], rows);

printTable(
  ['what the results themselves leave open', 'n', 'median', 'p90'],
  [
    ['decode, difference of results with the same settings', differencesOfRepeats(decode)],
    ['prompt, difference of results with the same settings', differencesOfRepeats(prompt)],
    ['the best line through each whole sweep, inside', errorsOfBestLines(decode)],
  ].map(([name, list]) => [
    name,
    list.length,
    ...[0.5, 0.9].map((share) => percent(quantile(list, share))),
  ]),
);

const order = ways(decode);
const isWhole = ({ record }) => record.class === 'gpu';
const whole = order.filter(([a, b]) => isWhole(a) !== isWhole(b));
printTable(
  ['order right', 'n', 'ours', 'llmfit'],
  [
    ['two ways on one machine, at least 15 % apart', order, 0.95],
    ['  of one source, build and setting', order.filter(isSameRun)],
    ['whole on the GPU against split', whole, 0.99],
  ].map(([name, list, target]) => {
    const ours = right(list, ({ seconds }) => 1 / seconds);
    if (target !== undefined)
      judgements.push([`${name}: share that is wrong`, 1 - ours, 1 - target]);
    return [
      name,
      list.length,
      percent(ours),
      percent(right(list, ({ record }) => llmfitSpeed(record))),
    ];
  }),
);

const inside = (prediction, { record }) =>
  record.tokensPerSecond >= prediction.low && record.tokensPerSecond <= prediction.high;
printTable(
  ['inside the interval of 90 %, devices weighted equally', 'share', 'high / low, median'],
  [
    ['decode, cold', decode.map((test) => ({ seen: [], test }))],
    ['decode, after one of the same model', pairs(decode, isVariant)],
    ['decode, after one of another model', others],
    ['prompt, cold', prompt.map((test) => ({ seen: [], test }))],
    ['prompt, after one of the same model', pairs(prompt, isVariant)],
  ].map(([name, list]) => {
    const predicted = list.map(({ seen, test }) => ({
      test,
      prediction: predictAfter([seen].flat(), test),
    }));
    const shares = byDevice(predicted.map((one) => ({ ...one, record: one.test.record }))).map(
      (ofDevice) =>
        ofDevice.filter(({ test, prediction }) => inside(prediction, test)).length /
        ofDevice.length,
    );
    const share = shares.reduce((sum, one) => sum + one, 0) / shares.length;
    judgements.push([
      `${name}: distance of the coverage from 89.5 %`,
      Math.abs(share - 0.895),
      0.075,
    ]);
    const width = quantile(
      predicted.map(({ prediction: { low, high } }) => high / low),
      0.5,
    );
    return [name, percent(share), width.toFixed(2)];
  }),
);

const seen = decode
  .slice(0, 64)
  .map(({ question, record }) => ({ ...question, tokensPerSecond: record.tokensPerSecond }));
const timed = [0, 10, 64].map((count) => {
  const model = createSpeedModel(seen.slice(0, count));
  const run = () => {
    for (let i = 0; i < PREDICTIONS; i += 1) model.decode(decode[i % decode.length].question);
  };
  run();
  // Time of the processor, so that other work on the machine does not count.
  const { user, system } = process.cpuUsage();
  run();
  const used = process.cpuUsage({ user, system });
  return { count, microseconds: (used.user + used.system) / PREDICTIONS };
});
printTable(
  ['measurements', 'microseconds a prediction'],
  timed.map(({ count, microseconds }) => [count, microseconds.toFixed(1)]),
);
judgements.push(['microseconds of a prediction after 64 measurements', timed[2].microseconds, 20]);
for (const [what, figure, target] of judgements) judge(what, figure, target);

function errors(name, list, { ours, theirs, targets }) {
  const figures = (errorIn) => [0.5, 0.9].map((share) => quantile(list.map(errorIn), share));
  const [median, p90] = figures(ours);
  rows.push([
    name,
    list.length,
    percent(median),
    percent(p90),
    ...(theirs === undefined ? ['', ''] : figures(theirs).map(percent)),
  ]);
  if (targets === undefined) return;
  judgements.push([`${name}: median`, median, targets[0]], [`${name}: p90`, p90, targets[1]]);
}

function ofBackend(tests, backend) {
  return tests.filter(({ record }) => record.backend === backend);
}

function right(list, speedOf) {
  const isRight = ([a, b]) =>
    speedOf(a) > speedOf(b) === a.record.tokensPerSecond > b.record.tokensPerSecond;
  return list.filter(isRight).length / list.length;
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
