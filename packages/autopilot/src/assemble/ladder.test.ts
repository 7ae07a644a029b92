import fc from 'fast-check';
import { LOAD_CONFIG, profile } from '../../test/fake-world.js';
import { buildLadder } from './ladder.js';

const MODEL = profile({ modelKey: 'qwen/qwen3-8b', bytes: 0 });
const ANYTHING = { capabilities: [], minContextLengthTokens: null, tiers: null };

describe('buildLadder', () => {
  it('starts with what is configured and gives up one thing after the other', () => {
    const rungs = buildLadder({ ...MODEL, contextLengthTokens: 32_768 }, ANYTHING, false);
    expect(
      rungs.map(({ kind, loadConfig }) => [
        kind,
        loadConfig.contextLengthTokens,
        loadConfig.kvCacheTypeK,
      ]),
    ).toEqual([
      ['as-configured', 32_768, null],
      ['shorter-context', 16_384, null],
      ['shorter-context', 8192, null],
      ['shorter-context', 4096, null],
      ['smaller-kv-cache', 4096, 'q8_0'],
      ['smaller-kv-cache', 4096, 'q4_0'],
    ]);
  });

  it('asks for flash attention with a quantized KV cache, which llama.cpp needs', () => {
    const quantized = buildLadder(MODEL, ANYTHING, false).filter(
      (rung) => rung.loadConfig.kvCacheTypeV !== null,
    );
    expect(quantized.map((rung) => rung.loadConfig.flashAttention)).toEqual([true, true]);
  });

  it('moves experts and layers to the CPU only where a GPU has memory of its own', () => {
    const kinds = buildLadder(MODEL, ANYTHING, true).map((rung) => rung.kind);
    expect([...new Set(kinds)]).toEqual([
      'as-configured',
      'shorter-context',
      'smaller-kv-cache',
      'experts-on-cpu',
      'less-offload',
    ]);
    expect(buildLadder(MODEL, ANYTHING, false).map((rung) => rung.kind)).not.toContain(
      'less-offload',
    );
  });

  it('goes on from what is configured instead of repeating it', () => {
    const rungs = buildLadder(
      {
        ...MODEL,
        loadConfig: {
          ...LOAD_CONFIG,
          kvCacheTypeK: 'q8_0',
          kvCacheTypeV: 'q8_0',
          offloadRatio: 0.5,
          cpuExpertRatio: 0.5,
        },
      },
      { ...ANYTHING, minContextLengthTokens: 8192 },
      true,
    );
    expect(rungs.map(({ kind, price }) => `${kind}: ${price}`)).toEqual([
      'as-configured: nothing',
      'smaller-kv-cache: the KV cache at 4 bits: long contexts lose accuracy',
      'experts-on-cpu: 100 % of the expert layers on the CPU: slower',
      'experts-on-cpu: 100 % of the expert layers on the CPU: slower; the KV cache at 4 bits: long contexts lose accuracy',
      'less-offload: 25 % of the layers on the GPU: slower',
      'less-offload: 25 % of the layers on the GPU: slower; the KV cache at 4 bits: long contexts lose accuracy',
      'less-offload: 0 % of the layers on the GPU: slower',
      'less-offload: 0 % of the layers on the GPU: slower; the KV cache at 4 bits: long contexts lose accuracy',
    ]);
  });

  it('gives the whole context back once experts on the CPU make room for it', () => {
    const rungs = buildLadder({ ...MODEL, contextLengthTokens: 16_384 }, ANYTHING, true);
    const of = (kind: string) =>
      rungs
        .filter((rung) => rung.kind === kind)
        .map(({ loadConfig }) => [
          loadConfig.cpuExpertRatio,
          loadConfig.offloadRatio,
          loadConfig.contextLengthTokens,
          loadConfig.kvCacheTypeK,
        ]);
    const settings = [
      [16_384, null],
      [8192, null],
      [4096, null],
      [4096, 'q8_0'],
      [4096, 'q4_0'],
    ];
    expect(of('experts-on-cpu')).toEqual([
      ...settings.map((setting) => [0.5, null, ...setting]),
      ...settings.map((setting) => [1, null, ...setting]),
    ]);
    expect(of('less-offload').slice(0, 3)).toEqual([
      [1, 0.75, 16_384, null],
      [1, 0.75, 4096, 'q4_0'],
      [1, 0.5, 16_384, null],
    ]);
  });

  it('raises the context to what is required, and never beyond what the model allows', () => {
    const required = (minContextLengthTokens: number): (number | null)[] =>
      buildLadder(MODEL, { ...ANYTHING, minContextLengthTokens }, false).map(
        (rung) => rung.loadConfig.contextLengthTokens,
      );
    expect(required(16_384)[0]).toBe(16_384);
    expect(required(65_536)[0]).toBe(32_768);
  });

  it('never offers less context than is required or more than the rung before at the same place', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300_000 }),
        fc.integer({ min: 1, max: 300_000 }),
        (wanted, required) => {
          const rungs = buildLadder(
            { ...MODEL, contextLengthTokens: wanted, maxContextLengthTokens: null },
            { ...ANYTHING, minContextLengthTokens: required },
            true,
          );
          for (const ratio of [null, 0.5, 1]) {
            const contexts = rungs
              .filter(({ kind, loadConfig }) => {
                return kind !== 'less-offload' && loadConfig.cpuExpertRatio === ratio;
              })
              .map((rung) => rung.loadConfig.contextLengthTokens ?? 0);
            expect(Math.min(...contexts)).toBe(required);
            expect(contexts).toEqual([...contexts].sort((one, other) => other - one));
          }
        },
      ),
    );
  });
});
