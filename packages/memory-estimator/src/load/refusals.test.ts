import { corpusHeader } from '../../test/corpus.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import type { EstimateSettings } from '../settings/estimate-settings.js';
import { checkEstimateSettings } from './check-estimate-settings.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { estimateReport } from '../estimate/estimate-report.js';

// Tried with llama.cpp v0.5.0: models with heads of 80 and of 48 values, and with latent attention.
describe('llama.cpp', () => {
  const withHeads = async (keyLength: number, valueLength = keyLength) => {
    const header = await corpusHeader('llama-3.2-1b-q4km');
    const metadata = new Map(header.metadata)
      .set('llama.attention.key_length', keyLength)
      .set('llama.attention.value_length', valueLength);
    return { ...header, metadata };
  };
  const problems = (header: GgufHeader, settings: Partial<EstimateSettings>) =>
    checkEstimateSettings({ ...NO_SETTINGS, ...settings }, header).map(({ setting }) => setting);

  test.each([80, 48, 120])(
    'refuses cache types whose blocks cross heads of %d values',
    async (length) => {
      const header = await withHeads(length);
      expect(problems(header, {})).toEqual([]);
      expect(problems(header, { kvCacheTypeK: 'q8_0' })).toEqual(['kvCacheTypeK']);
      expect(problems(header, { kvCacheTypeV: 'iq4_nl' })).toEqual(['kvCacheTypeV']);
      // Blocks fill a row of eight heads, which suffices without flash attention.
      expect(problems(header, { kvCacheTypeK: 'q4_0', flashAttention: false })).toEqual([]);
      const settings = { ...NO_SETTINGS, kvCacheTypeK: 'q8_0' as const };
      expect(() => estimateReport(header, settings)).toThrow(`${length} values`);
    },
  );

  test('accepts cache types whose blocks fill the heads', async () => {
    const header = await withHeads(96, 64);
    expect(problems(header, { kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q4_0' })).toEqual([]);
  });

  test('refuses two different cache types where values are read from the keys', async () => {
    const header = await corpusHeader('deepseek-v2-lite-E16-q4km');
    expect(problems(header, { kvCacheTypeK: 'q8_0' })).toEqual(['kvCacheTypeV']);
    expect(problems(header, { kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q8_0' })).toEqual([]);
    const unpacked = await corpusHeader('deepseek-v2-lite-legacy-q8');
    expect(problems(unpacked, { kvCacheTypeK: 'q8_0' })).toEqual([]);
  });
});

describe('an invalid load configuration', () => {
  test.each([
    { parallelSequences: Number.NaN },
    { parallelSequences: 0 },
    { contextLengthTokens: 0 },
    { offloadRatio: Number.NaN },
    { cpuExpertRatio: Number.NaN },
    { kvCacheTypeV: 'nothing' as never },
  ])('throws for %j', async (change) => {
    const header = await corpusHeader('llama-3.2-1b-q4km');
    expect(() => estimateFootprint(header, { ...ONE_SEQUENCE, ...change })).toThrow(RangeError);
  });

  test('gives a footprint with a refusal if the figures are possible but llama.cpp refuses them', async () => {
    const header = await corpusHeader('deepseek-v2-lite-E16-q4km');
    const sound = estimateFootprint(header, ONE_SEQUENCE);
    const refused = estimateFootprint(header, { ...ONE_SEQUENCE, kvCacheTypeK: 'q8_0' });
    expect([sound.refusal, refused.refusal]).toEqual([null, expect.stringContaining('q8_0')]);
  });
});
