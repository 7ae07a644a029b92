import { DEFAULT_SELECTION_POLICY, type Footprint } from '@mai/memory-ledger';
import {
  candidate,
  footprint,
  GIB,
  input,
  LOAD_CONFIG,
  option,
  resident,
  resources,
} from '../../test/build-input.js';
import type { LoadOption, SelectionInput } from '../input.js';
import { selectModel } from '../select-model.js';

const NEEDED = 10_240;
const PREFERRED = 20_480;

/** A way to load that takes 10 GiB with the needed context, and `more` GiB with twice as much. */
function growing(more: number, change: Partial<LoadOption> = {}): LoadOption {
  const roomier = { ...option(footprint({ anonymous: more }), PREFERRED), ...change };
  return { ...option(footprint({ anonymous: 10 }), NEEDED), roomier };
}

function decide(model: LoadOption, parts: Partial<SelectionInput> = {}) {
  const requirement = { capabilities: [], minContextLengthTokens: NEEDED, tiers: null };
  return selectModel(input({ candidates: [candidate('chat', [model])], requirement, ...parts }));
}

const contextOf = (model: LoadOption, parts?: Partial<SelectionInput>) =>
  decide(model, parts).chosen?.loadOption.loadConfig.contextLengthTokens;

/** 80 % of 32 GiB. */
const LIMIT_BYTES = Math.floor(0.8 * 32 * GIB);
const exactly = (bytes: number): Footprint => {
  const print = footprint({});
  return { ...print, ram: { mappedBytes: 0, anonymousBytes: bytes } };
};

describe('a load for callers that prefer a longer context', () => {
  it('has the longer context, is charged for it, and says so', () => {
    const { chosen, plan, pools, notes } = decide(growing(12));
    expect(chosen).toMatchObject({
      optionIndex: 0,
      cost: null,
      footprint: { ram: { anonymousBytes: 12 * GIB } },
    });
    expect(plan.steps).toMatchObject([
      { action: 'load', loadOption: { loadConfig: { contextLengthTokens: PREFERRED } } },
    ]);
    expect(pools[0]?.useAfterBytes).toBe(12 * GIB);
    expect(notes).toEqual([
      { code: 'ROOM_TO_GROW', neededTokens: NEEDED, offeredTokens: PREFERRED },
    ]);
  });

  it.each([
    [-1, PREFERRED],
    [0, PREFERRED],
    [1, NEEDED],
  ])('keeps to the limit: %i bytes more than the limit', (bytes, expected) => {
    expect(contextOf(growing(0, { footprint: exactly(LIMIT_BYTES + bytes) }))).toBe(expected);
  });

  it('leaves the room that a step up leaves', () => {
    // 5 % less than the limit of 80 % are 24 GiB.
    const margin = { upgradeMarginRatio: 0.05 };
    expect(contextOf(growing(24), margin)).toBe(PREFERRED);
    expect(contextOf(growing(24.1), margin)).toBe(NEEDED);
    expect(contextOf(growing(24.1))).toBe(PREFERRED);
  });

  it('unloads no resident for it', () => {
    const other = resident('other', footprint({ anonymous: 8 }));
    const with8 = { residents: [other], resources: resources({ available: 24 }) };
    expect(decide(growing(17), with8).plan.steps).toEqual([
      {
        action: 'load',
        modelKey: 'chat',
        loadOption: expect.objectContaining(growing(17).roomier) as unknown,
      },
    ]);
    expect(decide(growing(18), with8).plan.steps).toMatchObject([
      { action: 'load', loadOption: { loadConfig: { contextLengthTokens: NEEDED } } },
    ]);
  });

  it('takes the memory of a resident that is unloaded in any case', () => {
    const short = resident('chat', footprint({ anonymous: 9 }));
    const full = {
      residents: [short],
      retained: [short.instanceIdentifier],
      // Others use 11 of 32 GiB.
      resources: resources({ available: 12 }),
    };
    expect(decide(growing(14), full).plan).toMatchObject({
      order: 'break-before-make',
      steps: [
        { action: 'unload', instanceIdentifier: short.instanceIdentifier },
        { action: 'load', loadOption: { loadConfig: { contextLengthTokens: PREFERRED } } },
      ],
    });
  });

  it('does not unload the old copy before the new one is loaded, where both fit with the needed context', () => {
    const short = resident('chat', footprint({ anonymous: 9 }));
    const beside = { residents: [short], resources: resources({ available: 23 }) };
    expect(decide(growing(16), beside).plan).toMatchObject({
      order: 'make-before-break',
      steps: [{ loadOption: { loadConfig: { contextLengthTokens: PREFERRED } } }, {}],
    });
    expect(decide(growing(17), beside).plan).toMatchObject({
      order: 'make-before-break',
      steps: [{ loadOption: { loadConfig: { contextLengthTokens: NEEDED } } }, {}],
    });
  });

  it('is as long as needed where the longer one is refused, or its size or the free memory is not known', () => {
    expect(contextOf(growing(12, { guardrails: 'refuse' }))).toBe(NEEDED);
    expect(contextOf(growing(12, { footprint: null }))).toBe(NEEDED);
    expect(contextOf(growing(12), { resources: resources({ available: null }) })).toBe(NEEDED);
  });

  it('is not made where a resident serves, also with a shorter context than preferred', () => {
    const served = resident('chat', footprint({ anonymous: 10 }), {
      loadConfig: { ...LOAD_CONFIG, contextLengthTokens: NEEDED },
    });
    const { decision, notes } = decide(growing(12), {
      residents: [served],
      resources: resources({ available: 22 }),
    });
    expect(decision).toBe('keep');
    expect(notes).toEqual([]);
  });

  it('is as long as needed for the last model, which may take memory up to the hard limit', () => {
    const full = {
      steppingDown: true,
      resources: resources({ available: 14.5 }),
      policy: { ...DEFAULT_SELECTION_POLICY, hardLimitRatio: 1 },
    };
    expect(contextOf(growing(12), full)).toBe(NEEDED);
  });
});
