import {
  candidate,
  footprint,
  GIB,
  input,
  LOAD_CONFIG,
  option,
  resident,
  resources,
} from '../test/build-input.js';
import { DEFAULT_SELECTION_POLICY, type GpuResources } from '@mai/memory-ledger';
import { selectModel } from './select-model.js';

const gpu = (
  total: number | null,
  available: number | null,
  facts: Partial<GpuResources> = {},
): GpuResources => ({
  deviceKey: 'GPU-1',
  vendor: null,
  name: 'GPU',
  memory: 'dedicated',
  totalBytes: total === null ? null : total * GIB,
  availableBytes: available === null ? null : available * GIB,
  ...facts,
});

describe('1. a resident is counted once', () => {
  it('keeps a resident that accounts for most of the used memory', () => {
    // 16 total, 5 available: 11 used, 9 of them ours, so others are 2. 2 + 9 = 11 fits into 12.8.
    const selection = selectModel(
      input({
        candidates: [candidate('mine', 9)],
        residents: [resident('mine', footprint({ anonymous: 9 }))],
        resources: resources({ total: 16, available: 5 }),
      }),
    );
    expect(selection.decision).toBe('keep');
    expect(selection.pools[0]).toMatchObject({
      othersBytes: 2 * GIB,
      useBeforeBytes: 11 * GIB,
      useAfterBytes: 11 * GIB,
    });
  });

  it('lets a larger model take the room of the model that it replaces', () => {
    // Others 2. 2 + 10 = 12 fits into 12.8, but 2 + 9 + 10 = 21 does not, so the plan unloads first.
    const selection = selectModel(
      input({
        candidates: [candidate('larger', 10), candidate('mine', 9)],
        residents: [resident('mine', footprint({ anonymous: 9 }))],
        resources: resources({ total: 16, available: 5 }),
      }),
    );
    expect(selection).toMatchObject({
      decision: 'switch',
      direction: 'up',
      plan: {
        order: 'break-before-make',
        steps: [
          { action: 'unload', instanceIdentifier: 'mai/mine', why: 'superseded' },
          { action: 'load', modelKey: 'larger' },
        ],
      },
    });
    expect(selection.pools[0]).toMatchObject({
      useAfterBytes: 12 * GIB,
      reclaimableBytes: 9 * GIB,
    });
  });

  it('loads before it unloads where both fit', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('larger', 10), candidate('mine', 2)],
        residents: [resident('mine', footprint({ anonymous: 2 }))],
        resources: resources({ total: 32, available: 28 }),
      }),
    );
    expect(selection.plan).toMatchObject({
      order: 'make-before-break',
      steps: [{ action: 'load' }, { action: 'unload' }],
    });
  });

  it('counts others as 0, not negative, when the footprints exceed the used memory', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('mine', 9)],
        residents: [resident('mine', footprint({ anonymous: 9 }))],
        resources: resources({ total: 16, available: 12 }),
      }),
    );
    expect(selection.pools[0]).toMatchObject({ othersBytes: 0, useAfterBytes: 9 * GIB });
  });
});

describe('2. CPU load that our own model causes is not pressure', () => {
  const busy = input({
    candidates: [candidate('mine', 1)],
    residents: [resident('mine', footprint({ anonymous: 1 }), { busy: true })],
    resources: resources({}, { cpu: { utilizationRatio: 1, othersRatio: null } }),
  });
  const noted = (question: typeof busy): boolean =>
    selectModel(question).notes.some(({ code }) => code === 'CPU_PRESSURE');

  it('does not report a full CPU while an instance generates', () => {
    expect(noted(busy)).toBe(false);
  });
  it('reports the CPU load of others, and all CPU load while every instance is idle', () => {
    const outside = resources({}, { cpu: { utilizationRatio: 1, othersRatio: 0.9 } });
    expect(noted({ ...busy, resources: outside })).toBe(true);
    expect(noted({ ...busy, residents: [] })).toBe(true);
  });
});

describe('3. switches only where that helps', () => {
  it('keeps the better model where the smaller one would not bring the pool below its limit', () => {
    // Others 13 of 16 are above the limit of 12.8, so nothing fits. 13 + 1.5 is below the hard limit of 14.72.
    const selection = selectModel(
      input({
        candidates: [
          candidate('mine', 1.5),
          candidate('small', 1.8),
          candidate('embedder', 1, { capabilities: ['embedding'] }),
        ],
        requirement: { capabilities: ['chat'], minContextLengthTokens: null, tiers: null },
        residents: [resident('mine', footprint({ anonymous: 1.5 }))],
        resources: resources({ total: 16, available: 1.5 }),
      }),
    );
    expect(selection.decision).toBe('keep');
    expect(selection.chosen?.modelKey).toBe('mine');
    expect(selection.notes).toContainEqual(
      expect.objectContaining({ code: 'ABOVE_LIMIT', pool: 'ram' }),
    );
  });

  it('steps down when that brings the pool below its limit', () => {
    // Others 8 of 16: 8 + 6 = 14 is over 12.8, 8 + 2 = 10 is not.
    const selection = selectModel(
      input({
        candidates: [candidate('mine', 6), candidate('small', 2)],
        residents: [resident('mine', footprint({ anonymous: 6 }))],
        resources: resources({ total: 16, available: 2 }),
      }),
    );
    expect(selection).toMatchObject({
      decision: 'switch',
      direction: 'down',
      chosen: { modelKey: 'small' },
    });
  });

  it('keeps the last candidate up to the hard limit, and releases it above', () => {
    const at = (available: number): ReturnType<typeof selectModel> =>
      selectModel(
        input({
          candidates: [candidate('small', 2)],
          residents: [resident('small', footprint({ anonymous: 2 }))],
          resources: resources({ total: 100, available }),
        }),
      );
    expect(at(8).decision).toBe('keep');
    expect(at(7.9)).toMatchObject({ decision: 'release', direction: 'down' });
  });

  it('loads the last candidate up to the hard limit only for a step down', () => {
    // Others 75 of 100, and no residents: 75 + 10 is above the limit, and 75 + 18 above the hard limit.
    const at = (gib: number, steppingDown: boolean): ReturnType<typeof selectModel> =>
      selectModel({
        ...input({
          candidates: [candidate('large', 30), candidate('small', gib)],
          resources: resources({ total: 100, available: 25 }),
        }),
        steppingDown,
      });
    expect(at(10, false)).toMatchObject({ decision: 'none', chosen: null });
    expect(at(10, true)).toMatchObject({ decision: 'load', chosen: { modelKey: 'small' } });
    expect(at(10, true).notes.map(({ code }) => code)).toContain('ABOVE_LIMIT');
    expect(at(18, true)).toMatchObject({ decision: 'none', chosen: null });
  });

  it('ignores the minimum headroom at the hard limit', () => {
    // 7 + 2.1 of 10 GiB is under the hard limit of 92 %, and leaves less than 1 GiB.
    const selection = selectModel(
      input({
        candidates: [candidate('small', 2.1)],
        residents: [resident('small', footprint({ anonymous: 2.1 }))],
        resources: resources({ total: 10, available: 0.9 }),
      }),
    );
    expect(selection.decision).toBe('keep');
  });

  it('steps down to the last candidate up to the hard limit, but does not step up above the limit', () => {
    // Others 75 of 100: 75 + 20 is over the hard limit, 75 + 10 only over the limit.
    const down = selectModel(
      input({
        candidates: [candidate('large', 20), candidate('small', 10)],
        residents: [resident('large', footprint({ anonymous: 20 }))],
        resources: resources({ total: 100, available: 5 }),
      }),
    );
    expect(down).toMatchObject({ decision: 'switch', chosen: { modelKey: 'small' } });
    // Others 79. A step from 81 to 80.5 frees less than 2 % of the pool, a step from 83 frees more.
    const relief = (gib: number): string =>
      selectModel(
        input({
          candidates: [candidate('larger', gib), candidate('least', 1.5)],
          residents: [resident('larger', footprint({ anonymous: gib }))],
          resources: resources({ total: 100, available: 21 - gib }),
        }),
      ).decision;
    expect(relief(2)).toBe('keep');
    expect(relief(3.4)).toBe('keep');
    expect(relief(4)).toBe('switch');
    const last = candidate('last', [
      option(footprint({ anonymous: 5 }), 8192),
      option(footprint({ anonymous: 2 }), 4096),
    ]);
    const kept = selectModel(
      input({
        candidates: [last],
        residents: [
          resident('last', footprint({ anonymous: 2 }), {
            loadConfig: { ...LOAD_CONFIG, contextLengthTokens: 4096 },
          }),
        ],
        resources: resources({ total: 100, available: 16 }),
      }),
    );
    expect(kept).toMatchObject({ decision: 'keep', chosen: { optionIndex: 1 } });
  });
});

describe('4. mapped pages', () => {
  const question = (mappedCountsAsUsed: boolean): ReturnType<typeof selectModel> =>
    selectModel(
      input({
        candidates: [candidate('mine', 9)],
        residents: [resident('mine', footprint({ mapped: 6, anonymous: 3 }))],
        resources: {
          ...resources({ total: 16, available: 7 }),
          ram: { totalBytes: 16 * GIB, availableBytes: 7 * GIB, mappedCountsAsUsed },
        },
      }),
    );

  it('counts only anonymous memory as used on Linux', () => {
    // 9 are used, 3 of them by ours, so others use 6. With all 9 of ours, 15 of 16 are in use.
    expect(question(false).pools[0]).toMatchObject({
      othersBytes: 6 * GIB,
      useBeforeBytes: 15 * GIB,
    });
  });
  it('counts mapped memory as used on Windows', () => {
    expect(question(true).pools[0]).toMatchObject({ othersBytes: 0, useBeforeBytes: 9 * GIB });
  });
});

describe('5. a shorter context comes before a smaller model', () => {
  const large = candidate('large', [
    option(footprint({ anonymous: 30 }), 32_768),
    option(footprint({ anonymous: 20 }), 8192),
  ]);

  it('offers the shorter context, and notes it', () => {
    const selection = selectModel(input({ candidates: [large, candidate('small', 2)] }));
    expect(selection.chosen).toMatchObject({ modelKey: 'large', optionIndex: 1 });
    expect(selection.notes).toContainEqual({
      code: 'SHORTER_CONTEXT',
      wantedTokens: 32_768,
      offeredTokens: 8192,
    });
  });
  it('does not offer a context that is shorter than required', () => {
    const requirement = { capabilities: [], minContextLengthTokens: 16_384, tiers: null };
    const small = candidate('small', [option(footprint({ anonymous: 2 }), 16_384)]);
    const selection = selectModel(input({ candidates: [large, small], requirement }));
    expect(selection.chosen?.modelKey).toBe('small');
    expect(selection.rejected[0]?.options).toMatchObject([
      { code: 'INSUFFICIENT_RAM' },
      { code: 'CONTEXT_TOO_SMALL', requiredTokens: 16_384, offeredTokens: 8192 },
    ]);
  });
});

describe('6. stepping up asks for more room than staying', () => {
  const question = (upgradeMarginRatio: number | null): ReturnType<typeof selectModel> =>
    selectModel(
      input({
        // 2 + 22.4 GiB of 32 is 76.25 %.
        candidates: [candidate('large', 22.4), candidate('small', 2)],
        residents: [resident('small', footprint({ anonymous: 2 }))],
        resources: resources({ total: 32, available: 28 }),
        upgradeMarginRatio,
      }),
    );
  it('steps up only where the larger model leaves the margin free', () => {
    expect(question(null).decision).toBe('switch');
    expect(question(0.03).decision).toBe('switch');
    expect(question(0.05).decision).toBe('keep');
  });
  it('never lowers the threshold for stepping up below the configured floor', () => {
    const selection = selectModel(
      input({
        // 2 + 18.7 of 32 is 64.7 %, below 65 %.
        candidates: [candidate('large', 18.7), candidate('small', 2)],
        residents: [resident('small', footprint({ anonymous: 2 }))],
        resources: resources({ total: 32, available: 28 }),
        upgradeMarginRatio: 0.5,
      }),
    );
    expect(selection.decision).toBe('switch');
  });
});

describe('7. busy, pinned and foreign residents stay', () => {
  const pressed = (
    facts: object,
    policy = DEFAULT_SELECTION_POLICY,
  ): ReturnType<typeof selectModel> =>
    selectModel(
      input({
        candidates: [candidate('wanted', 8)],
        residents: [
          resident('other', footprint({ anonymous: 8 }), { instanceIdentifier: 'other', ...facts }),
        ],
        resources: resources({ total: 16, available: 7 }),
        policy,
      }),
    );

  it('evicts an idle resident of ours to make room', () => {
    expect(pressed({}).plan.steps[0]).toMatchObject({
      action: 'unload',
      instanceIdentifier: 'other',
      why: 'make-room',
    });
  });
  it('waits for a busy resident of ours', () => {
    const selection = pressed({ busy: true });
    expect(selection).toMatchObject({
      decision: 'wait',
      plan: { steps: [] },
      afterDrain: { modelKey: 'wanted', waitsFor: ['other'] },
    });
  });
  it.each([{ pinned: true }, { foreign: true }, { pinned: true, busy: true }])(
    'never evicts a resident with %o',
    (facts) => {
      expect(pressed(facts)).toMatchObject({
        decision: 'none',
        plan: { steps: [] },
        afterDrain: null,
      });
    },
  );
  it.each([
    ['evict-idle', 400_000, 'load'],
    ['evict-idle', 400_001, 'none'],
    ['evict-idle', null, 'none'],
    ['evict', null, 'load'],
    ['observe', 0, 'none'],
  ] as const)(
    'with the policy %s and a foreign resident last used at %s, the decision is %s',
    (foreign, lastUsedAtMs, decision) => {
      const selection = pressed(
        { foreign: true, lastUsedAtMs },
        { ...DEFAULT_SELECTION_POLICY, foreign, foreignIdleMs: 600_000 },
      );
      expect(selection.decision).toBe(decision);
    },
  );
  it('never unloads a busy foreign resident, and never releases a foreign resident in an emergency', () => {
    const evict = { ...DEFAULT_SELECTION_POLICY, foreign: 'evict' as const };
    expect(pressed({ foreign: true, busy: true }, evict)).toMatchObject({
      decision: 'none',
      plan: { steps: [] },
      afterDrain: null,
    });
    const emergency = selectModel(
      input({
        residents: [resident('theirs', footprint({ anonymous: 10 }), { foreign: true })],
        resources: resources({ total: 100, available: 5 }),
        policy: evict,
      }),
    );
    expect(emergency).toMatchObject({ decision: 'none', plan: { steps: [] } });
  });
  it('does not load a less preferred model while a better one waits for a busy instance', () => {
    // Limit 80: 60 fits only once the busy resident is gone, but 20 would fit beside the busy resident.
    const selection = selectModel(
      input({
        candidates: [candidate('big', 60), candidate('other', 20), candidate('mid', 30)],
        residents: [resident('mid', footprint({ anonymous: 30 }), { busy: true })],
        resources: resources({ total: 100, available: 70 }),
      }),
    );
    expect(selection).toMatchObject({
      decision: 'keep',
      chosen: { modelKey: 'mid' },
      plan: { steps: [] },
      afterDrain: { modelKey: 'big', waitsFor: ['mai/mid'] },
    });
  });
  it('evicts the least recently used first', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('wanted', 8)],
        residents: [
          resident('newer', footprint({ anonymous: 6 }), { lastUsedAtMs: 2 }),
          resident('older', footprint({ anonymous: 6 }), { lastUsedAtMs: 1 }),
        ],
        resources: resources({ total: 20, available: 8 }),
      }),
    );
    const unloaded = selection.plan.steps.filter(({ action }) => action === 'unload');
    expect(unloaded).toMatchObject([{ modelKey: 'older' }]);
  });
  it('does not treat a foreign resident as the current resident', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('large', 8), candidate('small', 2)],
        residents: [resident('small', footprint({ anonymous: 2 }), { foreign: true })],
        resources: resources({ total: 32, available: 28 }),
      }),
    );
    expect(selection).toMatchObject({
      decision: 'load',
      direction: null,
      plan: { steps: [{ action: 'load', modelKey: 'large' }] },
    });
  });
  it('evicts as few residents as needed', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('wanted', 8)],
        residents: [
          resident('tiny', footprint({ anonymous: 0.5 }), { lastUsedAtMs: 1 }),
          resident('big', footprint({ anonymous: 6 }), { lastUsedAtMs: 2 }),
          resident('newest', footprint({ anonymous: 1 }), { lastUsedAtMs: 3 }),
        ],
        resources: resources({ total: 16, available: 7 }),
      }),
    );
    const unloaded = selection.plan.steps.filter(({ action }) => action === 'unload');
    expect(unloaded).toMatchObject([{ modelKey: 'big' }]);
  });
});

describe('8. GPUs are not one pool', () => {
  const offloaded = candidate('model', [option(footprint({ anonymous: 1, gpus: { 'GPU-1': 9 } }))]);

  it('does not add up the room of two GPUs', () => {
    const gpus = [gpu(8, 8), gpu(8, 8, { deviceKey: 'GPU-2' })];
    const selection = selectModel(
      input({ candidates: [offloaded], resources: resources({}, { gpus }) }),
    );
    expect(selection.rejected[0]?.rejection).toMatchObject({
      code: 'INSUFFICIENT_VRAM',
      deviceKey: 'GPU-1',
    });
  });
  it('treats a GPU that hides its memory as unmeasured, not as full', () => {
    const selection = selectModel(
      input({ candidates: [offloaded], resources: resources({}, { gpus: [gpu(null, null)] }) }),
    );
    expect(selection.decision).toBe('load');
    expect(selection.notes).toContainEqual({ code: 'GPU_UNMEASURED', deviceKey: 'GPU-1' });
  });
  it('notes RAM whose free memory is not known, on this machine only', () => {
    const notesOf = (observable: boolean) =>
      selectModel(
        input({
          candidates: [candidate('model', [option(footprint({ anonymous: 1 }))])],
          resources: {
            ...resources({ total: 16 }),
            observable,
            ram: { totalBytes: 16 * GIB, availableBytes: null, mappedCountsAsUsed: null },
          },
        }),
      ).notes;
    expect(notesOf(true)).toEqual([{ code: 'RAM_UNMEASURED' }]);
    expect(notesOf(false)).toEqual([{ code: 'RESOURCES_NOT_OBSERVABLE' }]);
  });
  it('plans nothing into a GPU whose size is not known, because nobody knows how much fits', () => {
    const decide = (total: number | null, ram: number) =>
      selectModel(
        input({
          candidates: [offloaded],
          resources: resources({ total: ram, available: ram }, { gpus: [gpu(total, null)] }),
        }),
      );
    expect(decide(null, 16).pools[0]).toMatchObject({ pool: 'ram', useAfterBytes: 10 * GIB });
    expect(decide(null, 8).rejected[0]?.rejection.code).toBe('INSUFFICIENT_RAM');
    expect(decide(16, 8).decision).toBe('load');
  });
  it('charges the bytes of a shared GPU to RAM once, and keeps to the cap of that GPU', () => {
    // The limit of 16 GiB is 12.8, so 1 + 9 fits into RAM. But 9 is more than a cap of 8.
    const shared = (cap: number): ReturnType<typeof selectModel> =>
      selectModel(
        input({
          candidates: [offloaded],
          resources: resources(
            { total: 16, available: 16 },
            { gpus: [gpu(cap, null, { memory: 'shared' })] },
          ),
        }),
      );
    expect(shared(10).pools[0]).toMatchObject({ pool: 'ram', useAfterBytes: 10 * GIB });
    expect(shared(8).rejected[0]?.rejection.code).toBe('INSUFFICIENT_VRAM');
  });
  it('compares a unified pool with its own hard limit', () => {
    const apple = {
      unified: true,
      gpus: [gpu(75, null, { deviceKey: 'apple', memory: 'shared' as const })],
    };
    const at = (available: number): string =>
      selectModel(
        input({
          candidates: [candidate('m', [option(footprint({ gpus: { apple: 5 } }))])],
          residents: [resident('m', footprint({ gpus: { apple: 5 } }))],
          resources: resources({ total: 100, available }, apple),
        }),
      ).decision;
    expect(at(15)).toBe('keep');
    expect(at(14.9)).toBe('release');
  });
  it.each([
    [90, 'load'],
    [90.1, 'none'],
  ])('compares %s of 100 GiB of VRAM with the limit of GPUs, not of RAM: %s', (gib, decision) => {
    const selection = selectModel(
      input({
        candidates: [candidate('m', [option(footprint({ gpus: { 'GPU-1': gib } }))])],
        resources: resources({}, { gpus: [gpu(100, 100)] }),
      }),
    );
    expect(selection.decision).toBe(decision);
  });
  it('charges the bytes of a missing GPU to RAM, and names the GPU', () => {
    const selection = selectModel(input({ candidates: [offloaded], resources: resources() }));
    expect(selection.pools[0]).toMatchObject({ pool: 'ram', useAfterBytes: 10 * GIB });
    expect(selection.notes).toContainEqual({ code: 'GPU_UNKNOWN', deviceKey: 'GPU-1' });
  });
  it('ignores a full GPU that the model does not use', () => {
    const selection = selectModel(
      input({ candidates: [candidate('cpu', 2)], resources: resources({}, { gpus: [gpu(8, 0)] }) }),
    );
    expect(selection.decision).toBe('load');
  });
});

describe('9. a runtime on another machine', () => {
  it('decides by the total memory less the residents, and notes that the available memory is unknown', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('model', 10)],
        residents: [resident('theirs', footprint({ anonymous: 10 }), { foreign: true })],
        resources: resources({ total: 24, available: null }, { observable: false }),
      }),
    );
    // 10 + 10 = 20 is above the limit of 19.2.
    expect(selection.rejected[0]?.rejection).toMatchObject({ code: 'INSUFFICIENT_RAM' });
    expect(selection.notes).toContainEqual({ code: 'RESOURCES_NOT_OBSERVABLE' });
  });
});

describe('10. residents that differ from the request', () => {
  it('replaces a resident of ours whose context is shorter than the load option asks for', () => {
    const shorter = { ...LOAD_CONFIG, contextLengthTokens: 2048 };
    const selection = selectModel(
      input({
        candidates: [candidate('mine', 2)],
        residents: [resident('mine', footprint({ anonymous: 2 }), { loadConfig: shorter })],
        resources: resources({ total: 32, available: 20 }),
      }),
    );
    expect(selection).toMatchObject({ decision: 'switch', direction: 'up' });
  });
  it.each([
    [16_384, 'keep'],
    [8192, 'switch'],
    [null, 'switch'],
  ])('a resident of ours with %s tokens, where 16,384 are required: %s', (tokens, decision) => {
    const selection = selectModel(
      input({
        candidates: [candidate('m', [option(footprint({ anonymous: 3 }), 16_384)])],
        requirement: { capabilities: [], minContextLengthTokens: 16_384, tiers: null },
        residents: [
          resident('m', footprint({ anonymous: 3 }), {
            loadConfig: { ...LOAD_CONFIG, contextLengthTokens: tokens },
          }),
        ],
      }),
    );
    expect(selection.decision).toBe(decision);
  });
  it('uses a model that a person loaded where it is the best model that fits', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('mine', 2)],
        residents: [
          resident('mine', footprint({ anonymous: 2 }), {
            foreign: true,
            instanceIdentifier: 'by-hand',
          }),
        ],
      }),
    );
    expect(selection).toMatchObject({
      decision: 'keep',
      chosen: { instanceIdentifier: 'by-hand' },
    });
  });
});

test('a pool that is smaller than the minimum headroom has a limit of 0, and not less', () => {
  const selection = selectModel(
    input({
      candidates: [candidate('any', 0.1)],
      resources: resources({ total: 0.5, available: 0.4 }),
      policy: { ...DEFAULT_SELECTION_POLICY, minHeadroomBytes: GIB },
    }),
  );
  expect(selection.decision).toBe('none');
  expect(selection.pools[0]).toMatchObject({ limitRatio: 0, limitBytes: 0 });
});
