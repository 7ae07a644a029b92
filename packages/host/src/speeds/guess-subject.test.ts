import { DEFAULT_LOAD_CONFIG, type Resources } from '@mai/memory-ledger';
import { newestProfile } from '../engine/read-load-engine.js';
import { guessSubject } from './guess-subject.js';
import type { SpeedSubject } from './speed-subject.js';
import { createSpeeds, type Speeds } from './speeds.js';
import type { SpeedMeasurement } from './speed-measurement.js';

const GB = 1e9;
const RESOURCES: Resources = {
  timestampMs: 0,
  observable: true,
  unified: false,
  ram: { totalBytes: 64 * GB, availableBytes: 50 * GB, mappedCountsAsUsed: false },
  cpu: { utilizationRatio: 0, othersRatio: 0 },
  gpus: [
    {
      deviceKey: 'gpu',
      vendor: 'nvidia',
      memory: 'dedicated',
      name: 'NVIDIA GeForce RTX 3090',
      totalBytes: 24 * GB,
      availableBytes: 23 * GB,
    },
  ],
};
const LOAD = {
  loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 },
  resources: RESOURCES,
  engine: {
    profile: newestProfile(),
    selected: [],
    disabledGpus: 0,
    seenGpus: null,
    usesGpus: true,
    vectorInstructions: true,
    threads: 8,
    hardware: null,
    mlxKvCache: null,
  },
  ramBandwidth: null,
};

function listed(parameters: string | null, bits: number | null = 4) {
  const quantization = { name: 'Q4_K_M', bits };
  return { kind: 'llm' as const, format: 'gguf', quantization, parameters };
}

function guess(modelKey: string, parameters: string | null, size: number | null): SpeedSubject {
  const model = listed(parameters);
  const subject = guessSubject({ ...LOAD, modelKey, model, sizes: [size] });
  if (subject === null) throw new Error('There is no guess.');
  return subject;
}

function speeds(): Speeds {
  const stored: SpeedMeasurement[] = [];
  return createSpeeds({
    measurements: () => stored,
    refresh: () => false,
    record: (one) => {
      stored.push({ ...one, host: 'here', timestampMs: 0 });
      return Promise.resolve();
    },
  });
}

function rangeOf(one: Speeds, subject: SpeedSubject) {
  const speed = one.speedOf(subject);
  if (speed === null) throw new Error('The speed is not known.');
  return speed.decodeTokensPerSecond;
}

describe('a model of which only the size is known', () => {
  test('of 8B in 4.9 GB on an RTX 3090 has a wide interval around the published 110 tokens a second', () => {
    const { expected, low, high } = rangeOf(speeds(), guess('acme/remote-8b', '8B', 4.9 * GB));
    expect(expected).toBeGreaterThan(75);
    expect(expected).toBeLessThan(150);
    // It may be a mixture of experts, which is ten times as fast.
    expect(low).toBeLessThan(60);
    expect(high).toBeGreaterThan(700);
  });

  test('is faster where its label or its name states fewer active parameters, with a narrower interval', () => {
    const dense = rangeOf(speeds(), guess('acme/remote-30b', '30B', 18.6 * GB));
    for (const mixture of [
      guess('acme/remote-30b-a3b', null, 18.6 * GB),
      guess('acme/remote', '30B-A3B', 18.6 * GB),
    ]) {
      const range = rangeOf(speeds(), mixture);
      expect(range.expected).toBeGreaterThan(3 * dense.expected);
      expect(range.high / range.low).toBeLessThan(dense.high / dense.low / 4);
    }
  });

  test('is a known mixture by its name, where its size agrees', () => {
    const mixture = guess('openai/gpt-oss-20b', '20B', 12.1 * GB);
    expect(mixture.shape.activeParameters).toBeCloseTo(3.6 * GB, -3);
    const dense = rangeOf(speeds(), guess('acme/remote-20b', '20B', 12.1 * GB));
    const range = rangeOf(speeds(), mixture);
    expect(range.expected).toBeGreaterThan(100);
    expect(range.high / range.low).toBeLessThan(dense.high / dense.low / 4);
    expect(guess('meta/llama-4-scout-17b-16e', null, 65 * GB).shape.parameters).toBe(109 * GB);
    const distilled = guess('deepseek-r1-distill-qwen-7b', '7B', 4.7 * GB);
    expect(distilled.shape.activeParameters).toBe(7 * GB);
  });

  test('without a number of parameters has those of its size', () => {
    expect(guess('acme/remote', null, 4 * GB).shape.parameters).toBe(8 * GB);
  });

  test('has the narrow interval of a known model after a measurement, and teaches nothing about another model of its size', async () => {
    const here = speeds();
    const subject = guess('acme/remote-8b', '8B', 4.9 * GB);
    await here.learn('acme/remote-8b', subject, {
      test: 'decode',
      tokens: 100,
      depthTokens: 2000,
      tokensPerSecond: 40,
      othersCpuRatio: null,
    });
    const { expected, low, high } = rangeOf(here, subject);
    expect(expected).toBeGreaterThan(35);
    expect(expected).toBeLessThan(60);
    expect(high / low).toBeLessThan(2.5);
    const other = rangeOf(here, guess('acme/another-8b', '8B', 4.9 * GB));
    expect(other.high / other.low).toBeGreaterThan(10);
  });

  test.each([
    ['an unknown size', { sizes: [null, undefined, 0] }],
    ['an embedding model', { sizes: [GB], model: { ...listed('1B'), kind: 'embedding' as const } }],
  ])('%s has no speed', (_, changes) => {
    const sized = { ...LOAD, modelKey: 'acme/remote', model: listed('8B'), ...changes };
    expect(guessSubject(sized)).toBeNull();
  });

  test('the first known size counts, also where the model is not listed', () => {
    const sized = { ...LOAD, modelKey: 'acme/remote', model: null, sizes: [0, null, 4.85 * GB] };
    expect(guessSubject(sized)?.shape.parameters).toBeCloseTo(8 * GB, -3);
  });
});
