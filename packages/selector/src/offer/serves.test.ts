import { DEFAULT_SELECTION_POLICY, type LoadConfig } from '@mai/memory-ledger';
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
import type { Resident } from '../input.js';
import type { Selection } from '../selection.js';
import { selectModel } from '../select-model.js';

/** A resident of the model `mine` with the given context. */
const copy = (
  contextLengthTokens: number | null,
  gib: number,
  facts: Partial<Resident> = {},
): Resident =>
  resident('mine', footprint({ anonymous: gib }), {
    loadConfig: { ...LOAD_CONFIG, contextLengthTokens },
    ...facts,
  });

describe('a resident with another context than the load option asks for', () => {
  it.each([
    [8191, 'load', 'switch'],
    [8192, 'keep', 'keep'],
    [8193, 'keep', 'keep'],
    [131_072, 'keep', 'keep'],
  ])(
    'with %i tokens where 8192 are asked for: %s if foreign, %s if ours',
    (tokens, foreign, ours) => {
      const decide = (isForeign: boolean): ReturnType<typeof selectModel> =>
        selectModel(
          input({
            candidates: [candidate('mine', [option(footprint({ anonymous: 2 }), 8192)])],
            residents: [copy(tokens, 3, { foreign: isForeign })],
          }),
        );
      expect(decide(true).decision).toBe(foreign);
      expect(decide(false).decision).toBe(ours);
      if (foreign === 'keep') expect(decide(true).plan.steps).toEqual([]);
    },
  );

  it.each([
    [16_383, 'load'],
    [16_384, 'keep'],
    [16_385, 'keep'],
  ])('with %i tokens where 16,384 are required: %s', (tokens, decision) => {
    const selection = selectModel(
      input({
        candidates: [candidate('mine', [option(footprint({ anonymous: 2 }), 16_384)])],
        requirement: { capabilities: [], minContextLengthTokens: 16_384, tiers: null },
        residents: [copy(tokens, 3, { foreign: true })],
      }),
    );
    expect(selection.decision).toBe(decision);
  });

  it('serves only where every other field that the option sets is equal', () => {
    const asked = option(footprint({ anonymous: 2 }), 8192);
    const quantized = {
      ...asked,
      loadConfig: { ...asked.loadConfig, kvCacheTypeK: 'q8_0' } as const,
    };
    const decide = (kvCacheTypeK: 'f16' | 'q8_0' | null): string =>
      selectModel(
        input({
          candidates: [candidate('mine', [quantized])],
          residents: [
            copy(32_768, 3, {
              foreign: true,
              loadConfig: { ...LOAD_CONFIG, contextLengthTokens: 32_768, kvCacheTypeK },
            }),
          ],
        }),
      ).decision;
    expect(decide('q8_0')).toBe('keep');
    expect(decide(null)).toBe('keep');
    expect(decide('f16')).toBe('load');
  });

  it('does not serve an option that leaves out a trade-off with which Mai has loaded it', () => {
    const configured = option(footprint({ anonymous: 6 }), 8192);
    const asked = { ...configured.loadConfig, cpuExpertRatio: 0.5 };
    const cheaper = { ...option(footprint({ anonymous: 3 }), 8192), loadConfig: asked };
    const decide = (known: LoadConfig | null, available: number): Selection =>
      selectModel(
        input({
          candidates: [candidate('mine', [configured, cheaper])],
          // The runtime reports a value of every field.
          residents: [copy(8192, 3, { loadConfig: { ...asked, offloadRatio: 1 }, asked: known })],
          resources: resources({ total: 16, available }),
        }),
      );
    // Limit 12.8 of 16: others use 2, the cheaper copy 3. The model as configured takes 6.
    expect(decide(asked, 11)).toMatchObject({
      decision: 'switch',
      direction: 'up',
      chosen: { optionIndex: 0, instanceIdentifier: null },
    });
    // Others use 8.
    expect(decide(asked, 5)).toMatchObject({ decision: 'keep', chosen: { optionIndex: 1 } });
    // It may be the runtime's default, and then another load would change nothing.
    expect(decide(null, 11)).toMatchObject({ decision: 'keep', chosen: { optionIndex: 0 } });
    expect(decide(configured.loadConfig, 11)).toMatchObject({
      decision: 'keep',
      chosen: { optionIndex: 0 },
    });
  });

  it('is chosen after a resident with exactly that context', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('mine', [option(footprint({ anonymous: 2 }), 8192)])],
        residents: [
          copy(32_768, 3, { foreign: true, instanceIdentifier: 'longer' }),
          copy(8192, 2, { instanceIdentifier: 'exact' }),
        ],
      }),
    );
    expect(selection).toMatchObject({
      decision: 'keep',
      chosen: { instanceIdentifier: 'exact' },
      plan: { steps: [] },
    });
  });

  it('serves in place of our copy when only our copy has to be unloaded', () => {
    // Limit 12.8 of 16: others use 2, the foreign copy 7, our copy 6. 2 + 7 fits, 2 + 7 + 6 does not.
    const selection = selectModel(
      input({
        candidates: [candidate('mine', [option(footprint({ anonymous: 6 }), 8192)])],
        residents: [
          copy(8192, 6, { instanceIdentifier: 'ours' }),
          copy(32_768, 7, { foreign: true, instanceIdentifier: 'theirs' }),
        ],
        resources: resources({ total: 16, available: 1 }),
      }),
    );
    expect(selection).toMatchObject({
      decision: 'keep',
      chosen: { instanceIdentifier: 'theirs' },
      plan: { steps: [{ action: 'unload', instanceIdentifier: 'ours' }] },
    });
  });

  it('is replaced by a longer context that fits', () => {
    const selection = selectModel(
      input({
        candidates: [
          candidate('mine', [
            option(footprint({ anonymous: 6 }), 32_768),
            option(footprint({ anonymous: 3 }), 8192),
          ]),
        ],
        residents: [copy(16_384, 4)],
      }),
    );
    expect(selection).toMatchObject({
      decision: 'switch',
      direction: 'up',
      chosen: { optionIndex: 0 },
    });
  });

  it('is reported as shorter than wanted, with its own context length', () => {
    const selection = selectModel(
      input({
        candidates: [
          candidate('mine', [
            option(footprint({ anonymous: 60 }), 32_768),
            option(footprint({ anonymous: 3 }), 8192),
          ]),
        ],
        residents: [copy(16_384, 4)],
      }),
    );
    expect(selection.decision).toBe('keep');
    expect(selection.notes).toContainEqual({
      code: 'SHORTER_CONTEXT',
      wantedTokens: 32_768,
      offeredTokens: 16_384,
    });
  });
});

describe('a longer context that takes a pool above its limit', () => {
  /** 16 GiB, limit 12.8: others use 2, the resident takes `bytes`, and the asked context takes 6 GiB. */
  const pressed = (
    bytes: number,
    facts: Partial<Resident> = {},
    policy = DEFAULT_SELECTION_POLICY,
  ): ReturnType<typeof selectModel> =>
    selectModel(
      input({
        candidates: [candidate('mine', [option(footprint({ anonymous: 6 }), 8192)])],
        residents: [copy(32_768, bytes / GIB, facts)],
        resources: {
          ...resources({ total: 16 }),
          ram: {
            totalBytes: 16 * GIB,
            availableBytes: 14 * GIB - bytes,
            mappedCountsAsUsed: false,
          },
        },
        policy,
      }),
    );
  const ROOM_BYTES = Math.floor(0.8 * 16 * GIB) - 2 * GIB;

  it.each([
    [-1, 'keep'],
    [0, 'keep'],
    [1, 'switch'],
  ])('%i bytes above the limit: %s', (more, decision) => {
    expect(pressed(ROOM_BYTES + more).decision).toBe(decision);
  });

  it('is unloaded, and the model is loaded with the context that was asked for', () => {
    expect(pressed(ROOM_BYTES + 1)).toMatchObject({
      direction: 'down',
      plan: {
        order: 'break-before-make',
        steps: [
          { action: 'unload', instanceIdentifier: 'mai/mine', why: 'superseded' },
          { action: 'load', modelKey: 'mine' },
        ],
      },
    });
  });

  it('is replaced only after its requests have finished', () => {
    expect(pressed(ROOM_BYTES + 1, { busy: true })).toMatchObject({
      decision: 'keep',
      chosen: { instanceIdentifier: 'mai/mine' },
      afterDrain: { modelKey: 'mine', waitsFor: ['mai/mine'] },
    });
  });

  it.each([
    ['observe', 'none', []],
    ['evict', 'load', ['unload', 'load']],
  ] as const)(
    'is kept or unloaded as the policy for foreign residents says: %s',
    (foreign, decision, actions) => {
      const policy = { ...DEFAULT_SELECTION_POLICY, foreign };
      const selection = pressed(ROOM_BYTES + 1, { foreign: true }, policy);
      expect(selection.decision).toBe(decision);
      expect(selection.plan.steps.map(({ action }) => action)).toEqual(actions);
    },
  );

  it('steps down to a shorter context', () => {
    // Limit 12.8 of 16: others 4. 4 + 10 does not fit, 4 + 9 does not fit, 4 + 8 does.
    const selection = selectModel(
      input({
        candidates: [
          candidate('mine', [
            option(footprint({ anonymous: 9 }), 16_384),
            option(footprint({ anonymous: 8 }), 8192),
          ]),
        ],
        residents: [copy(32_768, 10)],
        resources: resources({ total: 16, available: 2 }),
      }),
    );
    expect(selection).toMatchObject({
      decision: 'switch',
      direction: 'down',
      chosen: { optionIndex: 1 },
    });
  });

  it('is not replaced where the asked context would not fit either', () => {
    // Others 8 of 16, limit 12.8. With the resident, use is 14.5. With the asked context, use is 14.3. Both are
    // above the limit, and the change would free less than 2 % of 16.
    const selection = selectModel(
      input({
        candidates: [candidate('mine', [option(footprint({ anonymous: 6.3 }), 8192)])],
        residents: [copy(32_768, 6.5)],
        resources: resources({ total: 16, available: 1.5 }),
      }),
    );
    expect(selection).toMatchObject({ decision: 'keep', plan: { steps: [] } });
  });

  it('is not replaced where its context was accepted in place of the context that was asked for', () => {
    // The runtime gave a longer context than asked, so a second load would give the same.
    const selection = selectModel(
      input({
        candidates: [candidate('mine', [option(footprint({ anonymous: 6 }), 8192)])],
        residents: [copy(8192, 11)],
        resources: resources({ total: 16, available: 3 }),
      }),
    );
    expect(selection).toMatchObject({ decision: 'keep', plan: { steps: [] } });
    expect(selection.notes.map(({ code }) => code)).toContain('ABOVE_LIMIT');
  });
});

it('loads no second copy on the CPU while a foreign copy on the GPU lacks only the upgrade margin', () => {
  const onGpu = option(footprint({ anonymous: 1, gpus: { 'GPU-1': 8 } }));
  const onCpu = option(footprint({ anonymous: 9 }));
  const selection = selectModel(
    input({
      candidates: [
        candidate('large', [
          { ...onGpu, loadConfig: { ...onGpu.loadConfig, offloadRatio: 1 } },
          { ...onCpu, loadConfig: { ...onCpu.loadConfig, offloadRatio: 0 } },
        ]),
        candidate('small', 2),
      ],
      residents: [
        resident('large', onGpu.footprint, {
          foreign: true,
          loadConfig: { ...LOAD_CONFIG, contextLengthTokens: 32_768, offloadRatio: 1 },
        }),
        resident('small', footprint({ anonymous: 2 })),
      ],
      // The GPU is at 85 %: within its limit of 90 %, but not within 90 % less the margin.
      resources: resources(
        { total: 64, available: 61 },
        {
          gpus: [
            {
              deviceKey: 'GPU-1',
              name: null,
              vendor: null,
              memory: 'dedicated',
              totalBytes: 10 * GIB,
              availableBytes: 1.5 * GIB,
            },
          ],
        },
      ),
      upgradeMarginRatio: 0.1,
    }),
  );
  expect(selection).toMatchObject({
    decision: 'keep',
    chosen: { modelKey: 'small' },
    plan: { steps: [] },
  });
});
