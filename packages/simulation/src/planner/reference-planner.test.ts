import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { model, row } from '../../test/simulation.js';
import { referenceQualityMs } from './reference-planner.js';

// 32 GiB: the limit is 25.6 GiB, the hard limit 29.44 GiB.
const MODELS = [model('large', 16, 0.9, 16), model('small', 4, 0.5, 4)];

describe('referenceQualityMs', () => {
  const reference = (...trace: ReturnType<typeof row>[]) =>
    referenceQualityMs(trace, MODELS, DEFAULT_SELECTION_POLICY);

  it('serves with the old model while the new one loads, where both fit', async () => {
    // 16 + 4 + 5 = 25 GiB is within the limit: small serves from second 4 until large is loaded at second
    // 20.
    expect(await reference(row(0, 5), row(100, 5))).toBeCloseTo(0.5e3 * 16 + 0.9e3 * 80);
  });

  it('does not load a model that would have to be unloaded before it serves', async () => {
    expect(await reference(row(0, 6), row(10, 12), row(100, 12))).toBeCloseTo(0.5e3 * 96);
  });

  it('keeps the last model of the chain up to the hard limit, and other models up to the limit', async () => {
    expect(await reference(row(0, 25), row(100, 25))).toBeCloseTo(0.5e3 * 96);
    expect(await reference(row(0, 26), row(100, 26))).toBe(0);
  });

  it('ends with the reason of its signal, before the plan is complete', async () => {
    const controller = new AbortController();
    const trace = [row(0, 5), row(86_400, 5)];
    const { signal } = controller;
    const plan = referenceQualityMs(trace, MODELS, DEFAULT_SELECTION_POLICY, signal);
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(plan).rejects.toThrow('enough');
  });
});
