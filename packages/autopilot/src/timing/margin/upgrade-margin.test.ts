import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import type { Candidate, PoolOutcome, SelectionInput } from '@mai/selector';
import { FakeWorld, GIB } from '../../../test/fake-world.js';
import { LARGE as LARGE_MODEL, SELECTION, SMALL as SMALL_MODEL } from '../../../test/samples.js';
import { lookBack, valueInHindsight, type Rules } from './hindsight.js';
import { IdleWait } from './idle-wait.js';
import { UpgradeMargin } from './upgrade-margin.js';
import { UseHistory } from './use-history.js';
import { marginFor, type Way } from './ways.js';

const SECOND = 1000;

/** RAM of 100 bytes with a limit of 80 and a hard limit of 92. */
function pool(othersBytes: number): PoolOutcome {
  return {
    pool: 'ram',
    totalBytes: 100,
    othersBytes,
    useBeforeBytes: othersBytes,
    useAfterBytes: othersBytes,
    headroomBytes: 0,
    limitRatio: 0.8,
    limitBytes: 80,
    hardLimitRatio: 0.92,
    hardLimitBytes: 92,
    reclaimableBytes: 0,
    growthBytes: 0,
  };
}

describe('UseHistory', () => {
  const after = (levels: readonly (readonly [bytes: number, seconds: number])[]): UseHistory => {
    const history = new UseHistory();
    let atMs = 0;
    for (const [bytes, seconds] of levels) {
      for (const endMs = atMs + seconds * SECOND; atMs < endMs; atMs += SECOND) {
        history.observe(atMs, [pool(bytes)]);
      }
    }
    return history;
  };
  const lengths = ({ periods }: UseHistory): readonly (readonly [number, number])[] =>
    periods.map(({ lastedMs, othersBytes }) => [othersBytes.get('ram') ?? -1, lastedMs / SECOND]);

  it('joins observations of equal use into periods', () => {
    const history = after([
      [30, 100],
      [30.4, 50],
      [50, 20],
    ]);
    expect(lengths(history)).toEqual([
      [30, 150],
      [50, 19],
    ]);
  });

  it('does not count a gap in which nothing was observed', () => {
    const history = after([[30, 100]]);
    history.observe(10 * 3_600 * SECOND, [pool(30)]);
    history.observe(10 * 3_600 * SECOND + SECOND, [pool(30)]);
    history.observe(0, [pool(30)]);
    expect(lengths(history)).toEqual([[30, 100]]);
  });

  it('remembers two hours, and a limited number of periods', () => {
    const hours = after([
      [30, 3600],
      [50, 3600],
      [30, 3600],
      [50, 1],
    ]);
    expect(lengths(hours).map(([, seconds]) => seconds)).toEqual([3600, 3600, 0]);
    const restless = after(Array.from({ length: 900 }, (_, index) => [index % 2 ? 30 : 50, 2]));
    expect(restless.periods.length).toBeLessThanOrEqual(721);
  });
});

describe('valueInHindsight', () => {
  const LARGE: Way = {
    needed: new Map([['ram', 40]]),
    value: 1,
    loadMs: 10 * SECOND,
    place: 0,
    isCheapest: true,
    isLast: false,
  };
  const SMALL: Way = {
    needed: new Map([['ram', 20]]),
    value: 0.5,
    loadMs: 5 * SECOND,
    place: 1,
    isCheapest: true,
    isLast: true,
  };
  const RULES: Rules = {
    marginRatio: 0,
    dwellUpMs: 20 * SECOND,
    dwellDownMs: 20 * SECOND,
    coolDownMs: 0,
    toleratedMs: 20 * SECOND,
    upgradeBelowRatioMin: 0,
    cheapestBefore: 0,
  };
  const value = (
    levels: readonly (readonly [bytes: number, seconds: number])[],
    rules: Partial<Rules> = {},
    ways: readonly Way[] = [LARGE, SMALL],
  ): number => {
    const periods = levels.map(([bytes, seconds]) => ({
      lastedMs: seconds * SECOND,
      othersBytes: new Map([['ram' as const, bytes]]),
    }));
    const past = lookBack(periods, ways, [pool(0)], true);
    return valueInHindsight(past, { ...RULES, ...rules }) / SECOND;
  };

  it('adds up the value of the model that would have been loaded, less the cost of the switches', () => {
    const levels = [
      [30, 100],
      [50, 100],
      [30, 100],
    ] as const;
    // Large for 100 s. 20 s above the limit, the cost of a switch (15 s of its value), 6.5 s without a model, small for 73.5 s. Small
    // for 20 s, the cost of a switch, 11.5 s without a model, large for 68.5 s.
    const withSwitches = 100 + 20 - 15 + 36.75 + (10 - 7.5 + 68.5);
    expect(value(levels)).toBeCloseTo(withSwitches);
    // With a margin of 20 bytes the small model stays.
    expect(value(levels, { marginRatio: 0.2 })).toBeCloseTo(100 + 20 - 15 + 36.75 + 50);
  });

  it('waits for the cool-down before a step up, and not before a second step down', () => {
    const levels = [
      [30, 100],
      [50, 26.5],
      [30, 100],
    ] as const;
    const waited = value(levels, { coolDownMs: 60 * SECOND });
    // Small for 60 s instead of 20 s, then 11.5 s without a model, then large.
    expect(waited).toBeCloseTo(100 + 20 - 15 + (30 - 7.5 + 28.5));
  });

  it('counts time above the limit only as far as it is tolerated', () => {
    expect(
      value(
        [
          [30, 100],
          [50, 50],
          [30, 10],
        ],
        { dwellDownMs: 60 * SECOND },
      ),
    ).toBeCloseTo(130);
  });

  it('steps down at once above the hard limit', () => {
    expect(
      value([
        [30, 100],
        [55, 20],
      ]),
    ).toBeCloseTo(100 - 15 + 0.5 * 13.5);
  });

  it('takes the cheapest load option for a step up to a model before the given place', () => {
    const cheaper: Way = { ...LARGE, needed: new Map([['ram', 31]]), value: 0.9 };
    const ways = [{ ...LARGE, isCheapest: false }, cheaper, SMALL];
    // Small for 20 s, the cost of a switch, 11.5 s without a model, then large. It still counts
    // for 19 s above its limit.
    const levels = [
      [55, 100],
      [30, 100],
      [45, 19],
    ] as const;
    const before = 50 + 0.5 * 20 - 0.5 * 15;
    expect(value(levels, {}, ways)).toBeCloseTo(before + 87.5);
    // The cheapest option still fits then, and has a value of 0.9.
    expect(value(levels, { cheapestBefore: 1 }, ways)).toBeCloseTo(before + 0.9 * 87.5);
    const later = [...levels, [45, 180]] as const;
    expect(value(later, { cheapestBefore: 1 }, ways)).toBeGreaterThan(value(later, {}, ways));
  });
});

describe('marginFor', () => {
  const way = (bytes: number, place: number, isCheapest: boolean): Way => ({
    needed: new Map([['ram', bytes]]),
    value: 1,
    loadMs: 1000,
    place,
    isCheapest,
    isLast: false,
  });
  // Of 100 bytes 80 may be used. With 34 in use by others, 6 are left beside the large option, and 16 beside the cheaper one.
  const ways = [way(40, 0, false), way(30, 0, true), way(20, 1, false), way(10, 1, true)];
  it.each([
    ['no model takes its cheapest option', 0.01, 0, 34, 0.01],
    ['the larger option fits', 0.01, 1, 34, 0.11],
    ['the larger option lacks the margin already', 0.07, 1, 34, 0.07],
    ['only the cheapest option fits', 0.01, 1, 45, 0.01],
    ['only a model behind the given place fits', 0.01, 1, 55, 0.01],
    ['the larger option of the next model fits', 0.01, 2, 55, 0.1],
    ['nothing fits', 0.01, 2, 75, 0.01],
  ])('where %s', (_, marginRatio, cheapestBefore, othersBytes, expected) => {
    expect(marginFor(marginRatio, cheapestBefore, ways, [pool(othersBytes)])).toBeCloseTo(expected);
  });
});

describe('IdleWait', () => {
  it('expects the wait from any moment until the end of a busy period', () => {
    const wait = new IdleWait();
    expect(wait.expectedMs).toBe(0);
    // Busy for 10 s of every 20 s: half of the moments wait 5 s on average.
    for (let second = 0; second < 4000; second += 1) {
      wait.observe(second * SECOND, second % 20 >= 10);
    }
    expect(wait.expectedMs).toBeGreaterThan(2400);
    expect(wait.expectedMs).toBeLessThan(2600);
  });

  it('expects no wait where nothing was busy, and does not count a gap', () => {
    const wait = new IdleWait();
    for (let second = 0; second < 100; second += 1) wait.observe(second * SECOND, false);
    wait.observe(3_600 * SECOND, true);
    expect(wait.expectedMs).toBe(0);
  });
});

describe('UpgradeMargin', () => {
  const world = new FakeWorld([LARGE_MODEL, SMALL_MODEL]);
  const resources = world.resources();
  const candidate = ({ modelKey }: { readonly modelKey: string }, quality: number): Candidate => {
    const footprint = world.footprint(modelKey, DEFAULT_LOAD_CONFIG);
    const option = { loadConfig: DEFAULT_LOAD_CONFIG, footprint, guardrails: null, speed: null };
    return {
      modelKey,
      displayName: modelKey,
      tier: 'medium',
      capabilities: ['chat'],
      downloaded: true,
      refusal: null,
      expandedFrom: null,
      maxContextLengthTokens: null,
      coolingDownUntilMs: null,
      observedGrowth: [],
      loadOptions: [{ ...option, quality }],
    };
  };
  const inputWhere = (busy: boolean): SelectionInput => ({
    candidates: [candidate(LARGE_MODEL, 0.9), candidate(SMALL_MODEL, 0.45)],
    requirement: { capabilities: [], minContextLengthTokens: null, tiers: null },
    resources,
    residents: [
      {
        instanceIdentifier: 'mai/small',
        modelKey: 'small',
        busy,
        idleInMs: null,
        speed: null,
        pinned: false,
        loadConfig: DEFAULT_LOAD_CONFIG,
        foreign: false,
        lastUsedAtMs: null,
        footprint: world.footprint('small', DEFAULT_LOAD_CONFIG),
        observation: null,
      },
    ],
    policy: DEFAULT_SELECTION_POLICY,
  });
  const ofRam = (othersBytes: number): PoolOutcome => ({
    ...pool(othersBytes),
    totalBytes: resources.ram.totalBytes,
    limitBytes: 0.8 * resources.ram.totalBytes,
    hardLimitBytes: 0.92 * resources.ram.totalBytes,
  });
  /** Room for the large model lasts four of every fifteen minutes. It is larger than the room that is needed by 1.6 GiB, 5 %. */
  const marginWhere = (isBusy: (second: number) => boolean): number => {
    const margin = new UpgradeMargin();
    const [busy, idle] = [inputWhere(true), inputWhere(false)];
    for (let second = 0; second < 7200; second += 1) {
      const pools = [ofRam((second % 900 < 240 ? 8 : 12) * GIB)];
      const input = isBusy(second) ? busy : idle;
      const excursions = { areOutlasted: false, dwellMs: 20 * SECOND };
      margin.observe(second * SECOND, { ...SELECTION, pools }, input, excursions);
    }
    return margin.ratio;
  };

  /** The same input, where the large model has a second load option that takes less memory. */
  const withCheaperOption = (input: SelectionInput, bytes: number): SelectionInput => ({
    ...input,
    candidates: input.candidates.map((one) => {
      const [first] = one.loadOptions;
      const footprint = new FakeWorld([{ modelKey: 'large', bytes }]).footprint(
        'large',
        DEFAULT_LOAD_CONFIG,
      );
      return one.modelKey !== 'large' || first === undefined
        ? one
        : { ...one, loadOptions: [first, { ...first, footprint, quality: 0.88 }] };
    }),
  });

  it('is small where a step up can be undone soon and the last swing is long ago', () => {
    expect(marginWhere(() => false)).toBe(0.005);
  });

  // Room for the cheaper option of the large model lasts 20 of every 27.5 minutes, room for the larger option 5 of them. At the
  // end, 1.6 GiB are left beside the larger option and 3.6 GiB beside the cheaper one: 5 and 11.25 % of the pool.
  it.each([
    [
      'is between both load options of a model where the larger one would soon be above its limit',
      290,
    ],
    ['is none of that where a busy model is soon idle', 0],
  ])('%s', (_, busySeconds) => {
    const margin = new UpgradeMargin();
    const levelAt = (second: number): number =>
      second < 450 ? 13 : second < 1050 ? 11 : second < 1350 ? 8 : 11;
    for (let second = 0; second <= 3 * 1650 + 1200; second += 1) {
      const pools = [ofRam(levelAt(second % 1650) * GIB)];
      const input = withCheaperOption(inputWhere(second % 300 < busySeconds), 14 * GIB);
      const excursions = { areOutlasted: false, dwellMs: 20 * SECOND };
      margin.observe(second * SECOND, { ...SELECTION, pools }, input, excursions);
    }
    if (busySeconds > 0) expect(margin.ratio).toBeCloseTo((0.05 + 0.1125) / 2);
    else expect(margin.ratio).toBeLessThan(0.05);
  });

  it('keeps the large model out where requests keep a model busy for about as long as the room lasts', () => {
    expect(marginWhere((second) => second % 300 < 290)).toBeGreaterThan(0.05);
  });
});
