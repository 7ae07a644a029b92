import { totalBytesOf } from '@mai/memory-ledger';
import { footprintOf, GIB, MIB } from '../../test/footprints.js';
import { corpusHeader } from '../../test/corpus.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { combineWithLMStudio } from './combine-with-lmstudio.js';

test('the compute buffers that LM Studio leaves out are not a disagreement', async () => {
  const footprint = estimateFootprint(await corpusHeader('llama-3.2-1b-q4km'), {
    ...ONE_SEQUENCE,
    contextLengthTokens: 8192,
  });
  const { weightsBytes, kvCacheBytes } = footprint.parts.ram;
  const lmstudio = { totalBytes: weightsBytes + kvCacheBytes, totalVramBytes: 0 };
  expect(combineWithLMStudio(footprint, lmstudio)).toEqual({ footprint, disagreementRatio: null });
});

test.each([0.5, 1.6])(
  'a figure %f times as large as the footprint is reported as a disagreement',
  (times) => {
    const certain = footprintOf(4000, 1000);
    const lmstudio = { totalBytes: 5000 * MIB * times, totalVramBytes: 0 };
    const { footprint, disagreementRatio } = combineWithLMStudio(certain, lmstudio);
    expect(disagreementRatio).toBeCloseTo(times);
    // The disagreement does not change the footprint of a known architecture.
    expect(footprint).toEqual(certain);
  },
);

test("LM Studio's figure does not change a footprint with exact weights and cache, even at medium confidence", async () => {
  const header = await corpusHeader('llama-3.2-1b-q4km');
  const shared = estimateFootprint(header, { ...ONE_SEQUENCE, parallelSequences: 4 });
  expect(shared.confidence).toBe('medium');
  const twice = { totalBytes: 2 * shared.totalBytes, totalVramBytes: 0 };
  const { footprint, disagreementRatio } = combineWithLMStudio(shared, twice);
  expect(footprint).toEqual(shared);
  expect(disagreementRatio).toBeGreaterThan(2);
});

test("LM Studio's figure widens the interval of an estimate of medium confidence", () => {
  const uncertain = { ...footprintOf(4000, 1000), confidence: 'medium' as const };
  const { footprint } = combineWithLMStudio(uncertain, { totalBytes: 8 * GIB, totalVramBytes: 0 });
  expect(footprint.ram).toEqual(uncertain.ram);
  expect(footprint.interval?.highBytes).toBeGreaterThan(8 * GIB);
  expect(footprint.interval?.lowBytes).toBe(uncertain.interval?.lowBytes);
});

test("LM Studio's figure replaces an estimate from the file size, with compute buffers added and a wide interval", () => {
  const guess = {
    ...footprintOf(4000, 1000),
    source: 'file-size' as const,
    confidence: 'low' as const,
    gpus: [{ deviceKey: 'GPU-1', bytes: 2 * GIB }],
  };
  const lmstudio = { totalBytes: 6 * GIB, totalVramBytes: 3 * GIB };
  const { footprint } = combineWithLMStudio(guess, lmstudio);
  const { ram, gpus, interval } = footprint;
  const total = ram.mappedBytes + ram.anonymousBytes + (gpus[0]?.bytes ?? 0);
  expect(footprint).toMatchObject({ source: 'lmstudio', confidence: 'low' });
  expect(total).toBeGreaterThan(6.5 * GIB);
  expect(gpus[0]?.bytes).toBeCloseTo(total / 2, -1);

  expect(interval?.lowBytes).toBeLessThan(0.8 * total);
  expect(interval?.lowBytes).toBeGreaterThanOrEqual(guess.interval?.lowBytes ?? NaN);
  expect(interval?.highBytes).toBeGreaterThan(1.2 * total);
});

test('the interval and the weights of the header remain for an unknown architecture', async () => {
  const header = await corpusHeader('llama-3.2-1b-q4km');
  const metadata = new Map(header.metadata);
  for (const [key, value] of header.metadata) metadata.set(key.replace('llama.', 'novel.'), value);
  const unknown = estimateFootprint({ ...header, architecture: 'novel', metadata }, ONE_SEQUENCE);
  expect(unknown.confidence).toBe('low');
  const { footprint } = combineWithLMStudio(unknown, { totalBytes: MIB, totalVramBytes: 0 });
  expect(footprint.source).toBe('lmstudio');
  expect(totalBytesOf(footprint)).toBe(unknown.parts.ram.weightsBytes);
  expect(footprint.interval?.highBytes).toBeGreaterThanOrEqual(unknown.interval?.highBytes ?? NaN);
  expect(footprint.interval?.lowBytes).toBeLessThanOrEqual(unknown.interval?.lowBytes ?? NaN);
});

test.each([0, -1, NaN, Infinity])('a figure of %f bytes is ignored', (totalBytes) => {
  const guess = { ...footprintOf(4000, 1000), confidence: 'low' as const };
  expect(combineWithLMStudio(guess, { totalBytes, totalVramBytes: 0 })).toEqual({
    footprint: guess,
    disagreementRatio: null,
  });
});

test('a GPU share of more than the total counts as the total', () => {
  const guess = {
    ...footprintOf(0, 1000),
    confidence: 'low' as const,
    gpus: [{ deviceKey: 'GPU-1', bytes: GIB }],
  };
  const lmstudio = { totalBytes: GIB, totalVramBytes: 5 * GIB };
  const { ram, gpus } = combineWithLMStudio(guess, lmstudio).footprint;
  expect([ram.mappedBytes, ram.anonymousBytes]).toEqual([0, 0]);
  expect(gpus[0]?.bytes).toBeLessThan(1.2 * GIB);
});

test('a part on GPUs that is NaN changes nothing', () => {
  const guess = { ...footprintOf(0, 1000), confidence: 'low' as const };
  const lmstudio = { totalBytes: GIB, totalVramBytes: Number.NaN };
  expect(combineWithLMStudio(guess, lmstudio)).toEqual({
    footprint: guess,
    disagreementRatio: null,
  });
});

test('a measured footprint does not change', () => {
  const measured = { ...footprintOf(4000, 1000), source: 'measured' as const };
  const { footprint } = combineWithLMStudio(measured, { totalBytes: GIB, totalVramBytes: 0 });
  expect(footprint).toEqual(measured);
});
