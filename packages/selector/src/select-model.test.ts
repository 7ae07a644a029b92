import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import {
  candidate,
  footprint,
  GIB,
  input,
  option,
  resident,
  resources,
} from '../test/build-input.js';
import { NO_REQUIREMENT } from './input.js';
import { selectModel } from './select-model.js';

const codeOf = (selection: ReturnType<typeof selectModel>, modelKey: string): string | undefined =>
  selection.rejected.find((one) => one.modelKey === modelKey)?.rejection.code;

const LORA = { code: 'LORA', reason: 'it is a LoRA adapter, not a model' };

describe('choosing along the chain', () => {
  it('loads the first candidate that fits, and says why it passed over the others', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('huge', 40), candidate('large', 20), candidate('small', 2)],
      }),
    );
    expect(selection.decision).toBe('load');
    expect(selection.chosen?.modelKey).toBe('large');
    expect(selection.plan.steps).toEqual([
      expect.objectContaining({ action: 'load', modelKey: 'large' }),
    ]);
    expect(codeOf(selection, 'huge')).toBe('INSUFFICIENT_RAM');
    expect(codeOf(selection, 'small')).toBe('PREFERRED_CANDIDATE_FITS');
  });

  it.each([
    [{ capabilities: ['vision', 'embedding'] }, 'MISSING_CAPABILITY'],
    [{ tiers: ['large' as const] }, 'OUTSIDE_TIER'],
    [{ minContextLengthTokens: 8193 }, 'CONTEXT_TOO_SMALL'],
  ])(
    'does not choose and does not unload a resident that does not meet the requirement %j',
    (requirement, code) => {
      const loadOption = option(footprint({ mapped: 4 }), 8192);
      const selection = selectModel(
        input({
          candidates: [
            candidate('loaded', [loadOption], { capabilities: ['chat'], tier: 'small' }),
          ],
          residents: [
            resident('loaded', footprint({ mapped: 4 }), {
              loadConfig: loadOption.loadConfig,
            }),
          ],
          requirement: { ...NO_REQUIREMENT, ...requirement },
        }),
      );
      expect(selection).toMatchObject({
        decision: 'none',
        direction: null,
        chosen: null,
        headroomBytes: null,
        plan: { steps: [], order: null },
      });
      expect(codeOf(selection, 'loaded')).toBe(code);
    },
  );

  it('says which resident to wait for, but does not choose it where it does not meet the requirement', () => {
    // 32 GiB, limit 80 % = 25.6 GiB. 20 + 10 do not fit together.
    const selection = selectModel(
      input({
        candidates: [
          candidate('seeing', 10, { capabilities: ['vision'] }),
          candidate('loaded', 20, { capabilities: ['chat'] }),
        ],
        residents: [resident('loaded', footprint({ anonymous: 20 }), { busy: true })],
        requirement: { ...NO_REQUIREMENT, capabilities: ['vision'] },
      }),
    );
    expect(selection).toMatchObject({
      decision: 'wait',
      chosen: null,
      plan: { steps: [] },
      afterDrain: { modelKey: 'seeing', waitsFor: ['mai/loaded'] },
    });
  });

  it('says that nothing fits, with the shortfall of each candidate', () => {
    // 32 GiB, limit 80 % = 25.6 GiB. 30 needs 4.4 GiB more.
    const selection = selectModel(input({ candidates: [candidate('large', 30)] }));
    expect(selection.decision).toBe('none');
    expect(selection.chosen).toBeNull();
    expect(selection.rejected[0]?.rejection).toMatchObject({
      code: 'INSUFFICIENT_RAM',
      shortfallBytes: Math.ceil(4.4 * GIB),
      neededBytes: 30 * GIB,
    });
  });

  it.each([
    ['NOT_DOWNLOADED', { downloaded: false }],
    ['ENGINE_REFUSES', { downloaded: false, refusal: LORA }],
    ['ENGINE_REFUSES', { downloaded: false, refusal: LORA, capabilities: ['coding'] }],
    ['MISSING_CAPABILITY', { capabilities: ['coding'] }],
    ['OUTSIDE_TIER', { tier: 'large' as const }],
    ['COOLING_DOWN_AFTER_FAILURE', { coolingDownUntilMs: 1_000_001 }],
    ['CONTEXT_TOO_SMALL', { maxContextLengthTokens: 4096 }],
    ['FOOTPRINT_UNKNOWN', { loadOptions: [option(null)] }],
    ['GUARDRAILS', { loadOptions: [{ ...option(footprint({})), guardrails: 'refuse' as const }] }],
  ])('passes over a candidate with %s', (code, facts) => {
    const selection = selectModel(
      input({
        candidates: [candidate('first', 1, facts), candidate('second', 1)],
        requirement: {
          capabilities: ['chat'],
          minContextLengthTokens: 8192,
          tiers: ['small', 'medium'],
        },
      }),
    );
    expect(selection.chosen?.modelKey).toBe('second');
    expect(codeOf(selection, 'first')).toBe(code);
  });

  it('carries the refusal of the engine, and keeps a copy that the engine has loaded anyway', () => {
    const refused = candidate('first', 1, { downloaded: false, refusal: LORA });
    expect(selectModel(input({ candidates: [refused] })).rejected[0]?.rejection).toEqual({
      code: 'ENGINE_REFUSES',
      refusal: LORA,
    });
    const loaded = input({
      candidates: [refused],
      residents: [resident('first', footprint({ anonymous: 1 }))],
    });
    expect(selectModel(loaded)).toMatchObject({ decision: 'keep', chosen: { modelKey: 'first' } });
  });

  it('tries a candidate again the moment its cool-down ends', () => {
    const selection = selectModel(
      input({ candidates: [candidate('first', 1, { coolingDownUntilMs: 1_000_000 })] }),
    );
    expect(selection.chosen?.modelKey).toBe('first');
  });

  it('keeps a resident whose candidate cools down after a failed reload', () => {
    const selection = selectModel(
      input({
        candidates: [candidate('first', 1, { coolingDownUntilMs: 9e12 })],
        residents: [resident('first', footprint({ anonymous: 1 }))],
      }),
    );
    expect(selection).toMatchObject({
      decision: 'keep',
      chosen: { instanceIdentifier: 'mai/first' },
    });
  });

  it('gives the same answer to the same question', () => {
    const question = input({ candidates: [candidate('a', 30), candidate('b', 3)] });
    expect(selectModel(question)).toEqual(selectModel(structuredClone(question)));
  });
});

describe('the boundary of a pool', () => {
  // 10 GiB with a limit of 80 %: 8 GiB may be in use. The minimum headroom of 1 GiB would allow 9 GiB.
  const machine = resources({ total: 10, available: 10 });
  it.each([
    ['one byte less than the limit', -1, 'load'],
    ['exactly the limit', 0, 'load'],
    ['one byte more than the limit', 1, 'none'],
  ])('%s', (_, extra, decision) => {
    const print = footprint({ anonymous: 8 });
    const exact = {
      ...print,
      ram: { ...print.ram, anonymousBytes: 8 * GIB + extra },
    };
    const candidates = [candidate('model', [option(exact)])];
    expect(selectModel(input({ candidates, resources: machine })).decision).toBe(decision);
  });

  it.each([
    ['one byte more headroom than the minimum', -1, 'load'],
    ['exactly the minimum headroom', 0, 'load'],
    ['one byte less headroom than the minimum', 1, 'none'],
  ])('%s', (_, extra, decision) => {
    const anonymousBytes = 7 * GIB + extra;
    const print = { ...footprint({}), ram: { mappedBytes: 0, anonymousBytes } };
    const selection = selectModel(
      input({
        candidates: [candidate('model', [option(print)])],
        resources: machine,
        policy: { ...DEFAULT_SELECTION_POLICY, minHeadroomBytes: 3 * GIB },
      }),
    );
    expect(selection.decision).toBe(decision);
  });

  it('charges the upper end of the interval, on everything but mapped weights', () => {
    // 4 mapped + 2 anonymous, upper end 7: the margin of 1 GiB is charged as anonymous.
    const print = footprint(
      { mapped: 4, anonymous: 2 },
      { coverage: 0.9, lowBytes: 5 * GIB, highBytes: 7 * GIB },
    );
    const selection = selectModel(input({ candidates: [candidate('model', [option(print)])] }));
    expect(selection.pools[0]?.useAfterBytes).toBe(7 * GIB);
    expect(selection.headroomBytes).toBe(25 * GIB);
  });
});
