import {
  DEFAULT_SELECTION_POLICY,
  GROWTH_RESERVE_RATIO,
  type GrowthPolicy,
  type PoolBytes,
} from '@mai/memory-ledger';
import {
  candidate,
  footprint,
  GIB,
  input,
  option,
  resident,
  resources,
} from '../test/build-input.js';
import type { Resident, SelectionInput } from './input.js';
import { selectModel } from './select-model.js';

const POLICIES: readonly GrowthPolicy[] = ['charge', 'reserve-share', 'ignore'];
const MAX_GROWTH_GIB = 8;
const OTHERS_GIB = 6;

/** 16 GiB at the load, and up to 8 GiB more. */
const LARGE = footprint({ anonymous: 16 }, null, { ramBytes: MAX_GROWTH_GIB * GIB, gpus: [] });
const SMALL = footprint({ anonymous: 4 }, null, { ramBytes: 0, gpus: [] });

/** A machine of `total` GiB where others use 6 GiB. The resident has grown by `grown` GiB since its load. */
function situation(
  growth: GrowthPolicy,
  loaded: { readonly modelKey: 'large' | 'small'; readonly grown: number } | null,
  {
    total = 32,
    observed = 0,
    others = OTHERS_GIB,
  }: { readonly total?: number; readonly observed?: number; readonly others?: number } = {},
): SelectionInput {
  const print = loaded?.modelKey === 'large' ? LARGE : SMALL;
  const size = loaded === null ? 0 : print.ram.anonymousBytes / GIB + loaded.grown;
  const usedBefore: readonly PoolBytes[] = [{ pool: 'ram', bytes: OTHERS_GIB * GIB }];
  const observedGrowth: readonly PoolBytes[] =
    observed === 0 ? [] : [{ pool: 'ram', bytes: observed * GIB }];
  const residents: readonly Resident[] =
    loaded === null
      ? []
      : [
          resident(loaded.modelKey, print, {
            observation: { loadedAtMs: 1, processBytes: null, usedBefore },
          }),
        ];
  return input({
    candidates: [
      candidate('large', [option(LARGE)], { observedGrowth }),
      candidate('small', [option(SMALL)]),
    ],
    residents,
    resources: resources({ total, available: total - others - size }),
    policy: { ...DEFAULT_SELECTION_POLICY, growth },
  });
}

describe('the growth that a footprint allows', () => {
  it.each(POLICIES)('is part of the charge of a load under %s', (growth) => {
    const { chosen, pools } = selectModel(situation(growth, null, { total: 64 }));
    const share = { charge: 1, 'reserve-share': GROWTH_RESERVE_RATIO, ignore: 0 }[growth];
    expect(chosen?.modelKey).toBe('large');
    expect(pools[0]).toMatchObject({
      useAfterBytes: (OTHERS_GIB + 16 + share * MAX_GROWTH_GIB) * GIB,
      growthBytes: share * MAX_GROWTH_GIB * GIB,
    });
  });

  it('is named in the reason where a model does not fit', () => {
    // 16 + 8 and 6 of others are 30, above the limit of 25.6.
    const { rejected, chosen } = selectModel(situation('charge', null));
    expect(chosen?.modelKey).toBe('small');
    expect(rejected[0]?.rejection).toMatchObject({
      code: 'INSUFFICIENT_RAM',
      neededBytes: 24 * GIB,
      growthBytes: 8 * GIB,
    });
  });

  it('is freed with the resident, up to the growth so far', () => {
    const selection = selectModel(situation('ignore', { modelKey: 'large', grown: 6 }));
    expect(selection).toMatchObject({ direction: 'down', chosen: { modelKey: 'small' } });
    expect(selection.pools[0]).toMatchObject({
      othersBytes: OTHERS_GIB * GIB,
      reclaimableBytes: 22 * GIB,
      useAfterBytes: 10 * GIB,
    });
  });

  it('is not counted as use of others, and the rest is still held for the resident', () => {
    const { pools } = selectModel(
      situation('charge', { modelKey: 'large', grown: 3 }, { total: 64 }),
    );
    expect(pools[0]).toMatchObject({
      othersBytes: OTHERS_GIB * GIB,
      useBeforeBytes: (OTHERS_GIB + 24) * GIB,
      growthBytes: 5 * GIB,
    });
  });
});

describe('a model that fills its own prompt cache', () => {
  it.each(POLICIES)('is not replaced on a machine with room for the growth, under %s', (growth) => {
    for (let grown = 0; grown <= MAX_GROWTH_GIB; grown += 1) {
      const loaded = { modelKey: 'large', grown } as const;
      expect(selectModel(situation(growth, loaded, { total: 64 })).decision).toBe('keep');
    }
  });

  it.each(POLICIES)(
    'on a smaller machine steps down at most once and never up again, under %s',
    (growth) => {
      const served: string[] = [];
      let loaded: Parameters<typeof situation>[1] = null;
      let observed = 0;
      for (let round = 0; round < 60; round += 1) {
        const { chosen, plan } = selectModel(situation(growth, loaded, { observed }));
        const modelKey = chosen?.modelKey === 'large' ? 'large' : 'small';
        if (plan.steps.length > 0) {
          served.push(modelKey);
          // After the unload, the growth of the model is known from the memory that was freed.
          if (loaded?.modelKey === 'large') observed = Math.max(observed, loaded.grown);
          loaded = { modelKey, grown: 0 };
        } else if (loaded?.modelKey === 'large') {
          loaded = { modelKey, grown: Math.min(MAX_GROWTH_GIB, loaded.grown + 1) };
        }
      }
      expect(served).toEqual(growth === 'charge' ? ['small'] : ['large', 'small']);
    },
  );

  it('is loaded again once there is room for its grown size', () => {
    const again = (others: number): string | undefined =>
      selectModel(situation('ignore', { modelKey: 'small', grown: 0 }, { observed: 5, others }))
        .chosen?.modelKey;
    // 16 + 5 and 4.6 of others are 25.6, exactly the limit.
    expect(again(4.5)).toBe('large');
    expect(again(4.7)).toBe('small');
  });
});
