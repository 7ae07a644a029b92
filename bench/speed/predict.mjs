// Predicts speeds. Reads one JSON object a line on stdin: the fields of data/speed/speed.jsonl without `tokensPerSecond` and `sd`, and
// optionally `seen`, a list of results of the same machine with `tokensPerSecond`, oldest first. Prints
// {"tokensPerSecond","low","high"} for each line, in order, or {"error"} for a line that is not a JSON object
// or has impossible figures. Fields that are unknown or of another type are replaced by usual values. Build first:
//   node bench/speed/predict.mjs < questions.jsonl
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createSpeedModel } from '@mai/performance-model';
import { engineFactor } from './engine-progress.mjs';
import { predictedSpeed, questionOf } from './records.mjs';
import { recordOf } from './record-of.mjs';

/** By back end; written by fit.mjs. */
const PROGRESS = JSON.parse(
  readFileSync(new URL('./engine-progress.json', import.meta.url), 'utf8'),
);

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== '') console.log(JSON.stringify(answer(line)));
}

function answer(line) {
  try {
    const raw = JSON.parse(line);
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
      return { error: 'The line is not a JSON object.' };
    const { tokensPerSecond, low, high } = predict(raw);
    const isFinite = [tokensPerSecond, low, high].every((speed) => speed > 0 && speed < Infinity);
    return isFinite
      ? { tokensPerSecond, low, high }
      : { error: 'A figure of the line is too large or too small.' };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function predict(raw) {
  const seen = (Array.isArray(raw.seen) ? raw.seen : [])
    .filter((one) => one?.tokensPerSecond > 0 && Number.isFinite(one.tokensPerSecond))
    .map((one) => {
      // A result of the same machine may leave out what the question says about the machine.
      const question = questionOf(recordOf({ ...machineOf(raw), ...known(one) }));
      const tokensPerSecond = one.tokensPerSecond * engineFactor(one, question, PROGRESS);
      return { ...question, tokensPerSecond };
    });
  const question = questionOf(recordOf(raw));
  return predictedSpeed(createSpeedModel(seen), question, engineFactor(raw, question, PROGRESS));
}

function machineOf({ device, cpu, backend, memoryBandwidthGBs, computeTflops, ramBandwidthGBs }) {
  return known({ device, cpu, backend, memoryBandwidthGBs, computeTflops, ramBandwidthGBs });
}

function known(record) {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== null && value !== undefined),
  );
}
