// Predicts speeds. Reads one JSON object a line on stdin: the fields of data/speed/speed.jsonl without `tokensPerSecond` and `sd`, and
// optionally `seen`, a list of results of the same machine with `tokensPerSecond`, oldest first. Prints
// {"tokensPerSecond","low","high"} for each line, in order, or {"error"} with the line's number where it is not a JSON object.
// Fields that are unknown, of another type or outside of `RANGES` in record-of.mjs are replaced by usual values. Build first:
//   node bench/speed/predict.mjs < questions.jsonl
import { readFileSync } from 'node:fs';
import { createSpeedModel } from '@mai/performance-model';
import { answerLines } from '../yardstick/answer-lines.mjs';
import { engineFactor } from './engine-progress.mjs';
import { predictedSpeed, questionOf } from './results/records.mjs';
import { doubtOf, recordOf } from './results/record-of.mjs';

/** For `engineFactor`; written by fit.mjs. */
const PROGRESS = JSON.parse(
  readFileSync(new URL('./engine-progress.json', import.meta.url), 'utf8'),
);

const PHYSICS = createSpeedModel();

/** Tokens per second. No figures that count as known lead to less or more. */
const [SLOWEST, FASTEST] = [1e-9, 1e9];

await answerLines((raw) => {
  const { tokensPerSecond, low, high } = predict(raw);
  if (!(tokensPerSecond > SLOWEST && tokensPerSecond < FASTEST && low > 0 && high < Infinity))
    throw new Error('A figure is too large or too small.');
  return { tokensPerSecond, low, high };
});

function predict(raw) {
  const results = (Array.isArray(raw.seen) ? raw.seen : []).filter(
    (one) =>
      one?.tokensPerSecond > 0 && Number.isFinite(one.tokensPerSecond) && isOfMachine(one, raw),
  );
  const seen = results.map((one) => {
    // A result of the same machine may leave out what the question says about the machine.
    const question = questionOf(recordOf({ ...machineOf(raw), ...known(one) }));
    const tokensPerSecond = one.tokensPerSecond * engineFactorOf(one, question);
    return { ...question, tokensPerSecond };
  });
  const record = recordOf(raw);
  const question = questionOf(record);
  const { tokensPerSecond, low, high } = predictedSpeed(
    createSpeedModel(seen),
    question,
    engineFactorOf(raw, question),
  );
  const doubt = doubtOf(raw, record, seen.length > 0);
  return { tokensPerSecond, low: low / doubt, high: high * doubt };
}

function engineFactorOf(raw, question) {
  const today = predictedSpeed(PHYSICS, question, 1);
  return engineFactor(raw, question, PROGRESS, 1 / today.tokensPerSecond);
}

/** A result that names another device, or another CPU where no device is named, says nothing about this machine. */
function isOfMachine(one, { device, cpu }) {
  if (isOther(one.device, device)) return false;
  return one.device != null || device != null || !isOther(one.cpu, cpu);
}

function isOther(a, b) {
  return typeof a === 'string' && typeof b === 'string' && wordsOf(a) !== wordsOf(b);
}

/** The words of a name that tell devices apart: `NVIDIA GeForce RTX 3090` is an `RTX 3090`. */
function wordsOf(name) {
  return name
    .toLowerCase()
    .replace(/\((r|tm)\)/g, ' ')
    .replace(/\b(nvidia|geforce|amd|intel|apple|graphics|gpu|processor|\d+-core)\b/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ');
}

function machineOf({ device, cpu, backend, memoryBandwidthGBs, computeTflops, ramBandwidthGBs }) {
  return known({ device, cpu, backend, memoryBandwidthGBs, computeTflops, ramBandwidthGBs });
}

function known(record) {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== null && value !== undefined),
  );
}
