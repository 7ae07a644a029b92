import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SpeedRange } from '@mai/memory-ledger';
import { contextOf } from '../host-options.js';
import { openSpeeds, type SeenSpeed } from './speeds.js';
import type { SpeedSubject } from './speed-subject.js';

const GB = 1e9;
const SUBJECT: SpeedSubject = {
  shape: {
    parameters: 8 * GB,
    activeParameters: 7.5 * GB,
    layers: 32,
    weightBytes: 4.9 * GB,
    activeWeightBytes: 4.6 * GB,
    expertBytes: 0,
    activeExpertBytes: 0,
    kvBytesPerToken: 131_072,
    queryValuesPerToken: 131_072,
  },
  machine: {
    gpu: {
      backend: 'cuda',
      generation: null,
      memoryBandwidth: 936 * GB,
      operationsPerSecond: 71e12,
      linkBandwidth: null,
    },
    ramBandwidth: null,
    scalarThreads: null,
  },
  placement: { offloadRatio: 1, cpuExpertRatio: 0, kvCacheType: 'f16', microBatchTokens: 512 },
  identity: { model: '32/8', quantization: 'Q4_K_M', engine: 'llama.cpp@1' },
  isGpuGuessed: false,
  mayBeScalar: null,
  contextLengthTokens: 8192,
  load: { fileBytes: 4.9 * GB, gpuBytes: 4.9 * GB },
};
const ON_CPU: SpeedSubject = {
  ...SUBJECT,
  machine: { gpu: null, ramBandwidth: null, scalarThreads: null },
  placement: { ...SUBJECT.placement, offloadRatio: 0 },
};

function decoded(tokensPerSecond: number): SeenSpeed {
  return { test: 'decode', tokens: 100, depthTokens: 2000, tokensPerSecond, othersCpuRatio: null };
}

const home = mkdtempSync(path.join(tmpdir(), 'speeds-'));
afterAll(() => rmSync(home, { recursive: true }));

function opened(folder = mkdtempSync(path.join(home, 'data-'))) {
  const warnings: string[] = [];
  const options = { dataFolder: folder, env: {}, warn: (text: string) => warnings.push(text) };
  return { folder, warnings, speeds: openSpeeds(contextOf(options, new AbortController().signal)) };
}

describe('the speeds of a machine', () => {
  test('without measurements, an RTX 3090 is predicted to generate about 110 tokens a second with an 8B model in 4 bits', () => {
    const speed = opened().speeds.speedOf(SUBJECT);
    expect(speed?.measured).toBe(false);
    const { low, expected, high } = speed?.decodeTokensPerSecond ?? {
      low: 0,
      expected: 0,
      high: 0,
    };
    expect(low).toBeLessThan(110);
    expect(high).toBeGreaterThan(110);
    expect(low).toBeLessThan(expected);
    expect(expected).toBeLessThan(high);
  });

  test('a measurement moves the prediction and narrows its interval, also after a restart', async () => {
    const { speeds, folder } = opened();
    const before = speeds.speedOf(SUBJECT)?.decodeTokensPerSecond;
    await speeds.learn('eight', SUBJECT, decoded(60));
    await speeds.learn('eight', SUBJECT, decoded(61));
    const after = speeds.speedOf(SUBJECT);
    expect(after?.measured).toBe(true);
    expect(opened(folder).speeds.speedOf(SUBJECT)).toEqual(after);
    const now = after?.decodeTokensPerSecond;
    if (before === undefined || now === undefined) throw new Error('A speed is not known.');
    expect(Math.abs(now.expected - 60)).toBeLessThan(Math.abs(before.expected - 60) / 3);
    expect(now.high / now.low).toBeLessThan(before.high / before.low);
  });

  test('a measurement of another process counts from the next look at the revision on', async () => {
    const { speeds, folder } = opened();
    const revision = speeds.revision();
    expect(speeds.speedOf(SUBJECT)?.measured).toBe(false);
    expect(speeds.revision()).toBe(revision);
    const other = opened(folder).speeds;
    await other.learn('eight', SUBJECT, decoded(60));
    expect(speeds.speedOf(SUBJECT)?.measured).toBe(false);
    expect(speeds.revision()).not.toBe(revision);
    expect(speeds.speedOf(SUBJECT)).toEqual(other.speedOf(SUBJECT));
    const seen = speeds.revision();
    // A measurement of this process changes the revision once, and so does the next one of the other process.
    await speeds.learn('eight', SUBJECT, decoded(61));
    expect(speeds.revision()).toBe(seen + 1);
    await other.learn('eight', SUBJECT, decoded(62));
    expect(speeds.revision()).toBe(seen + 2);
  });

  test('the bandwidth of RAM that was not measured widens the interval of a load in RAM', async () => {
    const { speeds } = opened();
    const guessed = speeds.speedOf(ON_CPU)?.decodeTokensPerSecond;
    await speeds.learnRam(34 * GB);
    const known = speeds.speedOf(ON_CPU)?.decodeTokensPerSecond;
    if (guessed === undefined || known === undefined) throw new Error('A speed is not known.');
    expect(guessed.high / guessed.low / (known.high / known.low)).toBeCloseTo(4, 1);
    // 40 GB/s at the peak, instead of 80: half as fast.
    expect(known.expected / guessed.expected).toBeCloseTo(0.5, 1);
  });

  describe('a GPU that the table of devices lacks', () => {
    const guessed: SpeedSubject = { ...SUBJECT, isGpuGuessed: true };
    const integrated: SpeedSubject = { ...guessed, gpuReadsRam: true };

    test('has no speed before a measurement where it has memory of its own', async () => {
      const { speeds } = opened();
      expect(speeds.speedOf(guessed)).toBeNull();
      await speeds.learnRam(34 * GB);
      expect(speeds.speedOf(guessed)).toBeNull();
      await speeds.learn('eight', guessed, decoded(60));
      expect(speeds.speedOf(guessed)?.decodeTokensPerSecond.expected).toBeCloseTo(60, -1);
    });

    test('reads weights as fast as RAM where it is a part of the processor, with a wide interval until it is measured', async () => {
      const { speeds } = opened();
      const usual = speeds.speedOf(integrated)?.decodeTokensPerSecond;
      await speeds.learnRam(34 * GB);
      const known = speeds.speedOf(integrated)?.decodeTokensPerSecond;
      await speeds.learn('eight', integrated, decoded(5));
      const measured = speeds.speedOf(integrated)?.decodeTokensPerSecond;
      if (usual === undefined || known === undefined || measured === undefined)
        throw new Error('A speed is not known.');
      // 4.6 GB at 80 GB/s are 17 tokens a second at most.
      expect(usual.expected).toBeGreaterThan(9);
      expect(usual.expected).toBeLessThan(17);
      // 40 GB/s at the peak: half as fast.
      expect(known.expected / usual.expected).toBeCloseTo(0.5, 1);
      expect(usual.high / usual.low / (known.high / known.low)).toBeCloseTo(4, 1);
      expect(measured.expected).toBeCloseTo(5, 0);
      expect(measured.high / measured.low).toBeLessThan(known.high / known.low / 2);
    });
  });

  describe('a build without vector instructions', () => {
    const scalar: SpeedSubject = { ...ON_CPU, machine: { ...ON_CPU.machine, scalarThreads: 2 } };

    test('takes as long as two cores multiply weights, within a factor for other cores', async () => {
      const { speeds } = opened();
      await speeds.learnRam(34 * GB);
      const decode = speeds.decodeAt(scalar, 0);
      const prompt = speeds.promptOf(scalar, 512);
      // 7.5e9 weights a token: 2 x 5.7e9 and 2 x 8.7e9 a second. Attention and layers take a little more.
      expect(decode?.expected).toBeCloseTo(1.52, 1);
      expect(prompt?.expected).toBeGreaterThan(1.9);
      expect(prompt?.expected).toBeLessThan(2.32);
      const vector = speeds.decodeAt(ON_CPU, 0);
      const spread = (range: SpeedRange | null) => (range?.high ?? NaN) / (range?.low ?? NaN);
      expect(spread(decode) / spread(vector)).toBeCloseTo(9, 1);
    });

    test('is bound by the RAM where it has many threads', () => {
      const { speeds } = opened();
      const many = { ...scalar, machine: { ...scalar.machine, scalarThreads: 1000 } };
      expect(speeds.decodeAt(many, 0)?.expected).toBe(speeds.decodeAt(ON_CPU, 0)?.expected);
    });

    test('that nobody reported lowers only the careful end', () => {
      const { speeds } = opened();
      const vector = speeds.promptOf(ON_CPU, 512);
      const low = speeds.promptOf(scalar, 512)?.low;
      expect(speeds.promptOf({ ...ON_CPU, mayBeScalar: 2 }, 512)).toEqual({ ...vector, low });
    });

    test('measurements of an older engine say nothing of another model once a newer engine has measured theirs', async () => {
      const newer = { ...scalar, identity: { ...scalar.identity, engine: 'llama.cpp@2' } };
      const other = { ...newer, identity: { ...newer.identity, model: '16/2' } };
      const updated = opened().speeds;
      const fresh = opened().speeds;
      for (let i = 0; i < 5; i += 1) await updated.learn('eight', scalar, decoded(400));
      expect(updated.decodeAt(other, 0)?.expected).toBeGreaterThan(
        2 * (fresh.decodeAt(other, 0)?.expected ?? NaN),
      );
      for (const speeds of [updated, fresh]) await speeds.learn('eight', newer, decoded(3));
      expect(updated.decodeAt(other, 0)).toEqual(fresh.decodeAt(other, 0));
    });

    test('is corrected by a measurement, also for other models', async () => {
      const { speeds, folder } = opened();
      const before = speeds.decodeAt(scalar, 2000);
      const prompt = speeds.promptOf(scalar, 512)?.expected;
      const measured = (before?.expected ?? NaN) / 2;
      await speeds.learn('eight', scalar, decoded(measured));
      const after = opened(folder).speeds.decodeAt(scalar, 2000);
      const other = { ...scalar, identity: { ...scalar.identity, model: '16/2' } };
      expect(Math.abs((after?.expected ?? NaN) / measured - 1)).toBeLessThan(0.1);
      expect((speeds.decodeAt(other, 2000)?.expected ?? NaN) / measured).toBeCloseTo(1, 1);
      expect((speeds.promptOf(scalar, 512)?.expected ?? NaN) / (prompt ?? NaN)).toBeCloseTo(0.5, 1);
    });

    test('does not change what LM Studio is predicted to reach on the same machine, and does not count as a measurement of it', async () => {
      const { speeds } = opened();
      const embedded = {
        ...scalar,
        identity: { ...scalar.identity, engine: 'llama.cpp-linux-x64-cpu@1' },
      };
      const before = speeds.speedOf(ON_CPU);
      for (const tokensPerSecond of [2, 1, 0.4]) {
        await speeds.learn('eight', embedded, decoded(tokensPerSecond));
        await speeds.learn('eight', embedded, { ...decoded(9), test: 'prompt' });
      }
      expect(speeds.speedOf(embedded)?.measured).toBe(true);
      expect(speeds.speedOf(ON_CPU)).toEqual(before);
      const own = decoded(8);
      await speeds.learn('eight', ON_CPU, own);
      await speeds.learn('eight', embedded, decoded(1));
      expect((speeds.speedOf(ON_CPU)?.decodeTokensPerSecond.expected ?? NaN) / 8).toBeCloseTo(1, 1);
    });

    test('whose threads an older version did not store teaches nothing', async () => {
      const { speeds, folder } = opened();
      const before = speeds.speedOf(scalar);
      await speeds.learn('eight', scalar, decoded(1));
      const file = path.join(folder, 'speeds.json');
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace(/("kind": ?"tokens",)/, '$1"vectorInstructions":false,'),
      );
      expect(opened(folder).speeds.speedOf(scalar)).toEqual(before);
    });
  });

  test('a GPU that the table of devices lacks needs a measurement', async () => {
    const { speeds } = opened();
    const unknown = { ...SUBJECT, isGpuGuessed: true };
    expect(speeds.speedOf(unknown)).toBeNull();
    expect(speeds.decodeAt(unknown, 0)).toBeNull();
    await speeds.learn('eight', unknown, decoded(25));
    const { low, high } = speeds.speedOf(unknown)?.decodeTokensPerSecond ?? { low: 99, high: 0 };
    expect(low).toBeLessThan(25);
    expect(high).toBeGreaterThan(25);
  });

  test('a deeper context is slower', () => {
    const { speeds } = opened();
    const at = (depth: number) => speeds.decodeAt(SUBJECT, depth)?.expected ?? 0;
    expect(at(8000)).toBeLessThan(at(1000));
  });

  test('six measurements of a kind are kept, and entries that are not measurements are dropped', async () => {
    const { speeds, folder } = opened();
    for (let index = 0; index < 8; index += 1)
      await speeds.learn('eight', SUBJECT, decoded(60 + index));
    const file = path.join(folder, 'speeds.json');
    const stored = JSON.parse(readFileSync(file, 'utf8')) as { observations: unknown[] };
    expect(stored.observations).toHaveLength(6);
    stored.observations.push({ kind: 'tokens', host: 'x' }, 7);
    writeFileSync(file, JSON.stringify(stored));
    expect(opened(folder).speeds.speedOf(SUBJECT)).toEqual(speeds.speedOf(SUBJECT));
  });

  test('a damaged file is set aside with a warning', () => {
    const folder = mkdtempSync(path.join(home, 'data-'));
    writeFileSync(path.join(folder, 'speeds.json'), '{');
    const { speeds, warnings } = opened(folder);
    expect(speeds.speedOf(SUBJECT)?.measured).toBe(false);
    expect(warnings.join()).toContain('speeds.json.damaged');
  });
});
