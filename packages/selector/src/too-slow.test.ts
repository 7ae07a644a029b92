import type { LoadSpeed } from '@mai/memory-ledger';
import { candidate, footprint, input, LOAD_CONFIG, option, resident } from '../test/build-input.js';
import type { Candidate, LoadOption } from './index.js';
import { optionWhenEmpty, orderByValue, selectModel } from './index.js';
import { resources } from '../test/build-input.js';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';

/** A speed whose interval reaches from half to one and a half of the expected speed. */
function speed(expected: number, measured = false): LoadSpeed {
  const range = { expected, low: expected / 2, high: expected * 1.5 };
  return {
    decodeTokensPerSecond: range,
    promptTokensPerSecond: range,
    loadMs: null,
    measured,
  };
}

function optionWith(
  gib: number,
  facts: { readonly speed?: LoadSpeed; readonly quality?: number },
  contextLengthTokens = 8192,
): LoadOption {
  return { ...option(footprint({ anonymous: gib }), contextLengthTokens), ...facts };
}

/** Facts of a candidate that no person has named. */
const EXPANDED = { expandedFrom: 'downloaded:chat' } as const;
const FAST = candidate('fast', [optionWith(4, { speed: speed(60), quality: 0.5 })]);

function slow(tokens: number, facts: Partial<Candidate> = {}, measured = false): Candidate {
  return candidate(
    'slow',
    [optionWith(12, { speed: speed(tokens, measured), quality: 0.8 })],
    facts,
  );
}

describe('the minimum speed', () => {
  it.each([
    // The upper end of the interval is one and a half of the expected speed, and the minimum is 6.
    [3.9, true, false, 'fast'],
    [4, true, false, 'slow'],
    [3.9, false, false, 'slow'],
    [3.9, false, true, 'fast'],
    [4, false, true, 'slow'],
  ] as const)(
    'with %d expected tokens per second (expanded from an entry: %s, measured: %s) chooses %s',
    (tokens, expanded, measured, chosen) => {
      const candidates = [slow(tokens, expanded ? EXPANDED : {}, measured), FAST];
      expect(selectModel(input({ candidates })).chosen?.modelKey).toBe(chosen);
    },
  );

  it('rejects a model with its figures', () => {
    const candidates = [slow(3, EXPANDED), FAST];
    const rejection = {
      code: 'TOO_SLOW',
      tokensPerSecond: { expected: 3, low: 1.5, high: 4.5 },
      minTokensPerSecond: 6,
      measured: false,
    };
    expect(selectModel(input({ candidates })).rejected).toEqual([
      { candidateIndex: 0, modelKey: 'slow', rejection, options: [rejection] },
    ]);
  });

  it('of 0 rules nothing out', () => {
    const policy = { ...DEFAULT_SELECTION_POLICY, minTokensPerSecond: 0 };
    const candidates = [slow(0.1, EXPANDED, true), FAST];
    expect(selectModel(input({ candidates, policy })).chosen?.modelKey).toBe('slow');
  });

  it('does not hide that a model needs more memory', () => {
    const candidates = [candidate('slow', [optionWith(40, { speed: speed(1, true) })]), FAST];
    expect(selectModel(input({ candidates })).rejected[0]?.rejection.code).toBe('INSUFFICIENT_RAM');
  });

  it('lets a slow model be loaded where no model that fits is fast enough, with a note', () => {
    const { decision, chosen, notes } = selectModel(
      input({ candidates: [slow(2, EXPANDED), candidate('large', 40)] }),
    );
    expect([decision, chosen?.modelKey]).toEqual(['load', 'slow']);
    expect(notes).toEqual([
      {
        code: 'TOO_SLOW',
        tokensPerSecond: { expected: 2, low: 1, high: 3 },
        minTokensPerSecond: 6,
        measured: false,
      },
    ]);
  });

  it('prefers a slow model within the limit to a fast one above it', () => {
    const candidates = [
      slow(2, EXPANDED),
      candidate('fast', [optionWith(27, { speed: speed(60) })]),
    ];
    const steppingDown = true;
    expect(selectModel(input({ candidates, steppingDown })).chosen?.modelKey).toBe('slow');
  });

  it('passes over the slow load options of a model and takes a faster one', () => {
    const shorter = optionWith(11, { speed: speed(9, true), quality: 0.78 }, 4096);
    const model = candidate('model', [optionWith(12, { speed: speed(2, true) }), shorter]);
    const { chosen, notes } = selectModel(input({ candidates: [model, FAST] }));
    expect([chosen?.modelKey, chosen?.optionIndex]).toEqual(['model', 1]);
    expect(notes.map(({ code }) => code)).toEqual(['SHORTER_CONTEXT']);
  });

  it('replaces a resident that was measured and is too slow', () => {
    const residents = [resident('slow', footprint({ anonymous: 12 }))];
    const candidates = [slow(2, {}, true), FAST];
    const { decision, direction, chosen, plan } = selectModel(input({ candidates, residents }));
    expect([decision, direction, chosen?.modelKey]).toEqual(['switch', 'down', 'fast']);
    expect(plan.steps.map(({ action }) => action)).toEqual(['load', 'unload']);
  });

  it('keeps a slow resident where no model that fits is fast enough', () => {
    const residents = [resident('slow', footprint({ anonymous: 12 }))];
    const candidates = [slow(2, {}, true), candidate('large', 40)];
    const { decision, chosen, notes } = selectModel(input({ candidates, residents }));
    expect([decision, chosen?.modelKey, notes[0]?.code]).toEqual(['keep', 'slow', 'TOO_SLOW']);
  });

  it('waits for a busy slow resident where a faster model needs its memory', () => {
    const residents = [resident('slow', footprint({ anonymous: 12 }), { busy: true })];
    const candidates = [
      slow(2, {}, true),
      candidate('fast', [optionWith(20, { speed: speed(60), quality: 0.5 })]),
    ];
    const { decision, chosen, afterDrain } = selectModel(
      input({ candidates, residents, resources: resources({ available: 20 }) }),
    );
    expect([decision, chosen?.modelKey, afterDrain?.modelKey]).toEqual(['wait', 'slow', 'fast']);
  });
});

describe('a choice among models that are all too slow', () => {
  /** All fit in the 32 GiB of the machine, and have an upper end of less than 6 tokens per second. */
  const expanded = (
    modelKey: string,
    gib: number,
    tokens: number,
    quality: number,
    facts: Partial<Candidate> = {},
  ): Candidate =>
    candidate(modelKey, [optionWith(gib, { speed: speed(tokens), quality })], {
      ...EXPANDED,
      ...facts,
    });
  // 0.9 * sqrt(0.24 / 6) = 0.18, 0.6 * sqrt(1.5 / 6) = 0.3 and 0.4 * sqrt(2.94 / 6) = 0.28.
  const LARGE = expanded('large', 20, 0.24, 0.9);
  const MEDIUM = expanded('medium', 12, 1.5, 0.6);
  const SMALL = expanded('small', 4, 2.94, 0.4);
  const CHAIN = [LARGE, MEDIUM, SMALL];
  const choose = (facts: Parameters<typeof input>[0]) => selectModel(input(facts));

  it('takes the model of the highest value, and notes the value of the next model', () => {
    const { chosen, notes, rejected } = choose({ candidates: CHAIN });
    expect(chosen?.modelKey).toBe('medium');
    expect(notes).toMatchObject([
      { code: 'TOO_SLOW', comparison: { next: { modelKey: 'small' } } },
    ]);
    const [note] = notes;
    const comparison = note?.code === 'TOO_SLOW' ? note.comparison : undefined;
    expect(comparison?.value).toBeCloseTo(0.3);
    expect(comparison?.next.value).toBeCloseTo(0.28);
    const preferred = { code: 'PREFERRED_CANDIDATE_FITS', preferredModelKey: 'medium' };
    expect(rejected).toEqual([
      { candidateIndex: 0, modelKey: 'large', rejection: preferred, options: [] },
      { candidateIndex: 2, modelKey: 'small', rejection: preferred, options: [] },
    ]);
  });

  it('takes the earlier of two of equal value', () => {
    const candidates = [expanded('one', 4, 3, 0.4), expanded('other', 4, 3, 0.4)];
    expect(choose({ candidates }).chosen?.modelKey).toBe('one');
  });

  it.each([
    ['quality', 'large'],
    ['balanced', 'medium'],
    // 0.9 * 0.04 = 0.036, 0.6 * 0.25 = 0.15, 0.4 * 0.49 = 0.196.
    ['speed', 'small'],
  ] as const)('for the goal %s takes %s', (goal, modelKey) => {
    const policy = { ...DEFAULT_SELECTION_POLICY, goal };
    expect(choose({ candidates: CHAIN, policy }).chosen?.modelKey).toBe(modelKey);
  });

  it('counts the load option that fits now', () => {
    // Of 32 GiB, 12 are free: the 11 GiB of the fast option do not fit. 0.6 * sqrt(0.96 / 6) = 0.24.
    const shrunk = candidate(
      'shrunk',
      [
        optionWith(11, { speed: speed(60), quality: 0.7 }),
        optionWith(5, { speed: speed(0.96), quality: 0.6 }, 4096),
      ],
      EXPANDED,
    );
    const busy = resources({ available: 12 });
    const { chosen, rejected } = choose({ candidates: [shrunk, SMALL], resources: busy });
    expect(chosen?.modelKey).toBe('small');
    expect(rejected[0]?.rejection.code).toBe('PREFERRED_CANDIDATE_FITS');
    expect(choose({ candidates: [shrunk, SMALL] }).chosen?.modelKey).toBe('shrunk');
  });

  it('rejects a model that does not fit with the reason that memory is missing', () => {
    const huge = expanded('huge', 60, 0.24, 1);
    const { chosen, rejected } = choose({ candidates: [SMALL, huge, LARGE] });
    expect(chosen?.modelKey).toBe('small');
    expect(rejected.map(({ rejection }) => rejection.code)).toEqual([
      'INSUFFICIENT_RAM',
      'PREFERRED_CANDIDATE_FITS',
    ]);
  });

  it('keeps the order of a chain that a person wrote, where all were measured', () => {
    const written = CHAIN.map(({ modelKey, loadOptions: [first] }) =>
      candidate(modelKey, [{ ...first, speed: { ...speed(1), measured: true } } as LoadOption]),
    );
    const { chosen, notes } = choose({ candidates: written });
    expect(chosen?.modelKey).toBe('large');
    expect(notes).toMatchObject([{ code: 'TOO_SLOW' }]);
    expect(notes[0]).not.toHaveProperty('comparison');
  });

  it('keeps the order of two entries of a chain, and orders the models of each', () => {
    const first = CHAIN.slice(0, 1).map((one) => ({ ...one, expandedFrom: 'downloaded:coding' }));
    const second = [
      expanded('worse', 4, 3, 0.1, { expandedFrom: 'downloaded:chat' }),
      ...CHAIN.slice(1).map((one) => ({ ...one, expandedFrom: 'downloaded:chat' })),
    ];
    expect(choose({ candidates: [...first, ...second] }).chosen?.modelKey).toBe('large');
    expect(choose({ candidates: second }).chosen?.modelKey).toBe('medium');
  });

  it('puts models of unknown quality last', () => {
    const unknown = candidate('unknown', [optionWith(4, { speed: speed(3) })], EXPANDED);
    const { chosen, notes } = choose({ candidates: [unknown, LARGE] });
    expect(chosen?.modelKey).toBe('large');
    expect(notes[0]).not.toHaveProperty('comparison');
  });

  it('calls a switch to a higher value a step up, which keeps to the upgrade margin', () => {
    const residents = [resident('large', footprint({ anonymous: 20 }))];
    const up = choose({ candidates: CHAIN, residents, upgradeMarginRatio: 0.05 });
    expect([up.decision, up.direction, up.chosen?.modelKey]).toEqual(['switch', 'up', 'medium']);
    // The medium model would leave less than the margin of 50 % of the RAM free, and the small one would not.
    const { chosen } = choose({
      candidates: CHAIN,
      residents: [resident('large', footprint({ anonymous: 20 }))],
      policy: { ...DEFAULT_SELECTION_POLICY, upgradeBelowRatioMin: 0 },
      upgradeMarginRatio: 0.6,
      resources: resources({ available: 32 }),
    });
    expect(chosen?.modelKey).toBe('small');
  });

  it('stays with a model when a lower value comes first in the chain', () => {
    const residents = [resident('medium', footprint({ anonymous: 12 }))];
    const { decision, chosen } = choose({ candidates: CHAIN, residents });
    expect([decision, chosen?.modelKey]).toEqual(['keep', 'medium']);
  });
});

describe('the cost of a load option', () => {
  const model = candidate('model', [
    optionWith(40, { speed: speed(50), quality: 0.8 }),
    optionWith(11, { speed: speed(20), quality: 0.75 }, 4096),
  ]);

  it('is compared with the first load option', () => {
    const { chosen } = selectModel(input({ candidates: [model] }));
    expect(chosen?.cost?.quality).toBeCloseTo(0.05);
    expect(chosen?.cost?.tokensPerSecond).toBeCloseTo(30);
  });

  it('is null for the first load option, and its figures are null where they are not known', () => {
    expect(selectModel(input({ candidates: [FAST] })).chosen?.cost).toBeNull();
    const [, cheaper] = model.loadOptions;
    const unknown = candidate('model', [
      option(footprint({ anonymous: 40 })),
      cheaper ?? option(null),
    ]);
    expect(selectModel(input({ candidates: [unknown] })).chosen?.cost).toEqual({
      quality: null,
      tokensPerSecond: null,
    });
  });

  it('is known for a resident that serves the load option', () => {
    const residents = [
      resident('model', footprint({ anonymous: 11 }), {
        loadConfig: { ...LOAD_CONFIG, contextLengthTokens: 4096 },
      }),
    ];
    const { decision, chosen } = selectModel(input({ candidates: [model], residents }));
    expect(decision).toBe('keep');
    expect(chosen?.cost?.tokensPerSecond).toBeCloseTo(30);
  });
});

describe('orderByValue', () => {
  const machine = { resources: resources({ available: 1 }), policy: DEFAULT_SELECTION_POLICY };

  it('takes the value of the first load option that fits while nothing else uses memory', () => {
    const large = candidate('large', [
      optionWith(40, { speed: speed(60), quality: 0.9 }),
      optionWith(20, { speed: speed(1.5), quality: 0.8 }),
    ]);
    // 0.8 * sqrt(1.5 / 6) = 0.4.
    expect(optionWhenEmpty(large, machine)).toBe(large.loadOptions[1]);
    const below = candidate('below', [optionWith(4, { quality: 0.39 })]);
    const above = candidate('above', [optionWith(4, { quality: 0.41 })]);
    const keys = orderByValue([below, large, above], machine).map(({ modelKey }) => modelKey);
    expect(keys).toEqual(['above', 'large', 'below']);
  });

  it('keeps the order of equal candidates, and puts unknown ones before those that do not fit', () => {
    const candidates = [
      candidate('too-large', [optionWith(40, { quality: 1 })]),
      candidate('unknown', 4),
      candidate('one', [optionWith(4, { quality: 0.5 })]),
      candidate('other', [optionWith(4, { quality: 0.5 })]),
    ];
    const keys = orderByValue(candidates, machine).map(({ modelKey }) => modelKey);
    expect(keys).toEqual(['one', 'other', 'unknown', 'too-large']);
    expect(optionWhenEmpty(candidates[0] ?? FAST, machine)).toBeNull();
  });
});
