import {
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  type LoadSpeed,
  type Resources,
} from '@mai/memory-ledger';
import { selectModel, type Candidate, type SelectionInput } from '@mai/selector';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { ManualClock } from '../../test/manual-clock.js';
import { paybackMs } from './payback.js';
import { SwitchTiming } from './switch-timing.js';

const RANGE = { expected: 40, low: 30, high: 50 };

function candidate(modelKey: string, gib: number, quality: number | null): Candidate {
  const speed: LoadSpeed = {
    decodeTokensPerSecond: RANGE,
    promptTokensPerSecond: RANGE,
    loadMs: { expected: 16_000, low: 8000, high: 32_000 },
    measured: false,
  };
  const world = new FakeWorld([{ modelKey, bytes: gib * GIB }]);
  return {
    modelKey,
    displayName: modelKey,
    tier: 'medium',
    capabilities: ['chat'],
    downloaded: true,
    refusal: null,
    expandedFrom: null,
    maxContextLengthTokens: null,
    loadOptions: [
      {
        loadConfig: DEFAULT_LOAD_CONFIG,
        footprint: world.footprint(modelKey, DEFAULT_LOAD_CONFIG),
        guardrails: null,
        speed,
        quality,
      },
    ],
    coolingDownUntilMs: null,
    observedGrowth: [],
  };
}

function inputOf(
  large: number | null,
  small: number | null,
  totalBytes: number | null = null,
): SelectionInput {
  const world = new FakeWorld([{ modelKey: 'small', bytes: 4 * GIB }]);
  world.place('small');
  return {
    candidates: [candidate('large', 16, large), candidate('small', 4, small)],
    requirement: { capabilities: [], minContextLengthTokens: null, tiers: null },
    resources: totalBytes === null ? world.resources() : withRam(world.resources(), totalBytes),
    residents: [
      {
        instanceIdentifier: 'mai/small',
        modelKey: 'small',
        loadConfig: DEFAULT_LOAD_CONFIG,
        footprint: world.footprint('small', DEFAULT_LOAD_CONFIG),
        busy: false,
        idleInMs: null,
        speed: null,
        pinned: false,
        foreign: false,
        lastUsedAtMs: null,
        observation: null,
      },
    ],
    policy: DEFAULT_SELECTION_POLICY,
  };
}

/** The same use of memory by other programs, in a RAM of another size. */
function withRam(resources: Resources, totalBytes: number): Resources {
  const { ram } = resources;
  const availableBytes = (ram.availableBytes ?? 0) + totalBytes - ram.totalBytes;
  return { ...resources, ram: { ...ram, totalBytes, availableBytes } };
}

describe('paybackMs', () => {
  const payback = (large: number | null, small: number | null): number | null => {
    const input = inputOf(large, small);
    const selection = selectModel(input);
    expect(selection).toMatchObject({ decision: 'switch', direction: 'up' });
    return paybackMs(selection, input);
  };

  it('is the time after which the gain in value has paid for the load and the switch', () => {
    // 0.7 of value are lost for 16 s and 15 s, and 0.2 are gained from then on.
    expect(payback(0.9, 0.7)).toBeCloseTo(108_500);
  });

  it('is the same while the replaced model is busy, and is unloaded to make room once it is idle', () => {
    const idle = inputOf(0.9, 0.7, 30 * GIB);
    const input = { ...idle, residents: idle.residents.map((one) => ({ ...one, busy: true })) };
    const selection = selectModel(input);
    expect(selection.afterDrain?.plan.steps).toMatchObject([
      { action: 'unload', why: 'make-room' },
      { action: 'load' },
    ]);
    expect(paybackMs(selection, input)).toBeCloseTo(108_500);
  });

  it('is the same where the replaced model has a longer context than asked, as after a long request', () => {
    const configured = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };
    const base = inputOf(0.9, 0.7);
    const input: SelectionInput = {
      ...base,
      candidates: base.candidates.map((one) => ({
        ...one,
        loadOptions: one.loadOptions.map((option) => ({ ...option, loadConfig: configured })),
      })),
      residents: base.residents.map((one) => ({
        ...one,
        loadConfig: { ...configured, contextLengthTokens: 20_480 },
      })),
    };
    const selection = selectModel(input);
    expect(selection).toMatchObject({ decision: 'switch', direction: 'up' });
    expect(paybackMs(selection, input)).toBeCloseTo(108_500);
  });

  it('is null where a value is not known, or nothing is gained', () => {
    expect(payback(null, 0.7)).toBeNull();
    expect(payback(0.9, null)).toBeNull();
    expect(payback(0.7, 0.7)).toBeNull();
  });
});

describe('the dwell of a step up', () => {
  const judged = (large: number, small: number) => {
    const input = { ...inputOf(large, small), upgradeMarginRatio: 0.005 };
    const timing = new SwitchTiming(new ManualClock(), () => 1000);
    return timing.judge(selectModel(input), input);
  };

  // The switch costs 0.7 of value for 16 s and 15 s: 21.7 s of full value. Room is expected to last eight times as long as it
  // has lasted, and 8 x 0.02 x 135.625 s are 21.7 s, too.
  it('lasts until the time that the room is expected to last, times the gain, pays for the switch', () => {
    const { policy, verdict } = judged(0.72, 0.7);
    expect(policy.dwellMs).toBeCloseTo(135_625);
    expect(verdict).toMatchObject({ act: false, reason: 'DWELLING' });
    expect(verdict.waitMs).toBeCloseTo(135_625);
  });

  it('is the configured one where the gain pays sooner', () => {
    // 21.7 s / 0.2 / 8 = 13.6 s
    expect(judged(0.9, 0.7).policy.dwellMs).toBe(DEFAULT_SELECTION_POLICY.dwellMs);
  });
});
