import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { candidate, footprint, input, option, resident, resources } from '../test/build-input.js';
import type { LoadOption, Resident, SelectionInput } from './input.js';
import { selectModel } from './select-model.js';
import type { SelectionNote } from './selection.js';

/** A load option with a quality, and a load time in seconds. */
function judged(gib: number, quality: number | null, loadS: number): LoadOption {
  const ten = { expected: 10, low: 10, high: 10 };
  const loadMs = { expected: loadS * 1000, low: loadS * 1000, high: loadS * 1000 };
  return {
    ...option(footprint({ anonymous: gib })),
    quality,
    speed: { decodeTokensPerSecond: ten, promptTokensPerSecond: ten, loadMs, measured: true },
  };
}

// The limit is 25.6 of 32 GiB, others take 2. `large` fits only without `coder`, `small` fits beside it.
const LARGE = candidate('large', [judged(16, 0.9, 16)]);
const SMALL = candidate('small', [judged(3, 0.6, 3)]);

function decide(idleInMs: number | null, change: Partial<SelectionInput> = {}) {
  const coder: Resident = resident('coder', footprint({ anonymous: 10 }), { busy: true, idleInMs });
  return selectModel(
    input({
      candidates: [LARGE, SMALL],
      residents: [coder],
      resources: resources({ total: 32, available: 20 }),
      retained: ['mai/coder'],
      callersWait: { longestMs: 30_000, servesMs: 60_000 },
      ...change,
    }),
  );
}

const weighedIn = (notes: readonly SelectionNote[]) =>
  notes.find(({ code }) => code === 'WEIGHED_WAIT');

describe('callers that a busy model keeps from a preferred model', () => {
  // Waiting loses .9 x (wait + 16 s). Loading loses .9 x 3 s + (.9 - .6) x 60 s = 20.7 s, so the wait may take 7 s.
  it.each([
    [1000, 'wait'],
    [7000, 'wait'],
    [7001, 'load'],
    [60_000, 'load'],
  ])('with %i ms until it is idle: %s', (idleInMs, decision) => {
    const { decision: decided, chosen, afterDrain, notes } = decide(idleInMs);
    expect(decided).toBe(decision);
    expect(chosen?.modelKey ?? null).toBe(decision === 'load' ? 'small' : null);
    if (decision === 'load') expect(afterDrain).toBeNull();
    else expect(afterDrain).toMatchObject({ modelKey: 'large', waitsFor: ['mai/coder'] });
    expect(weighedIn(notes)).toEqual({
      code: 'WEIGHED_WAIT',
      outcome: decision,
      waitsFor: ['mai/coder'],
      waitMs: idleInMs,
      servesMs: 60_000,
      preferred: { modelKey: 'large', value: 0.9, loadMs: 16_000 },
      other: { modelKey: 'small', value: 0.6, loadMs: 3000 },
    });
  });

  it('do not wait longer than the longest wait, however good the preferred model is', () => {
    const ever = (longestMs: number) =>
      decide(5000, { callersWait: { longestMs, servesMs: 1e9 } }).decision;
    expect(ever(4999)).toBe('load');
    expect(ever(5000)).toBe('wait');
  });

  it('do not wait for a resident that they have leased either, where the wait is too long', () => {
    const busy = resident('large', LARGE.loadOptions[0]?.footprint ?? null, {
      loadConfig: { ...resident('x', null).loadConfig, contextLengthTokens: 4096 },
      busy: true,
      idleInMs: 60_000,
    });
    const asked = {
      residents: [busy],
      resources: resources({ total: 32, available: 14 }),
      retained: ['mai/large'],
    };
    expect(decide(null, asked)).toMatchObject({
      decision: 'switch',
      direction: 'down',
      chosen: { modelKey: 'small' },
      plan: { steps: [{ action: 'load', modelKey: 'small' }] },
    });
    expect(decide(null, { ...asked, callersWait: null }).decision).toBe('wait');
  });

  it.each([
    ['the wait is not known', decide(null)],
    ['nobody waits', decide(1000, { callersWait: null })],
    ['a quality is not known', decide(1000, { candidates: [LARGE, candidate('small', 3)] })],
  ])('get the model that fits now where %s', (_, { decision, chosen, notes }) => {
    expect([decision, chosen?.modelKey, weighedIn(notes)]).toEqual(['load', 'small', undefined]);
  });

  it('get the model that fits now while a pool is above its limit', () => {
    const gpu = (availableGib: number) => ({
      deviceKey: 'GPU-1',
      name: null,
      vendor: null,
      memory: 'dedicated' as const,
      totalBytes: 10 * 2 ** 30,
      availableBytes: availableGib * 2 ** 30,
    });
    const decisionWith = (availableGib: number) =>
      decide(1000, {
        resources: resources({ total: 32, available: 20 }, { gpus: [gpu(availableGib)] }),
      }).decision;
    expect(decisionWith(1.1)).toBe('wait');
    expect(decisionWith(0.9)).toBe('load');
  });

  it('wait for the preferred model although another is too slow', () => {
    const slow = judged(3, 0.6, 3);
    const tooSlow = { expected: 1, low: 1, high: 1 };
    const candidates = [
      LARGE,
      SMALL,
      candidate('slow', [
        { ...slow, speed: slow.speed ? { ...slow.speed, decodeTokensPerSecond: tooSlow } : null },
      ]),
    ];
    const policy = { ...DEFAULT_SELECTION_POLICY, minTokensPerSecond: 5 };
    expect(decide(1000, { candidates, policy }).decision).toBe('wait');
  });
});
