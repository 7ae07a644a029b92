import {
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  type Footprint,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import { selectModel, type Selection, type SelectionInput } from '@mai/selector';
import fc from 'fast-check';
import { GIB } from '../../test/fake-world.js';
import type { HysteresisState, Verdict } from './hysteresis-state.js';
import { afterSwitch, initialHysteresis, reduceHysteresis } from './reduce-hysteresis.js';

/** Gibibytes of each model of the chain. */
const SIZES = { large: 40, medium: 20, small: 5 } as const;
type Key = keyof typeof SIZES;
const KEYS: readonly Key[] = ['large', 'medium', 'small'];
const LOAD_CONFIG = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

const footprint = (key: Key): Footprint => ({
  ram: { mappedBytes: 0, anonymousBytes: SIZES[key] * GIB },
  gpus: [],
  interval: null,
  growth: null,
  source: 'measured',
  confidence: 'high',
});

/** The input on a machine of 100 GiB with the chain, where others use `othersGib`. */
function inputOf(
  atMs: number,
  othersGib: number,
  current: Key | null,
  cpu: number,
): SelectionInput {
  const used = othersGib + (current === null ? 0 : SIZES[current]);
  return {
    candidates: KEYS.map((modelKey) => ({
      modelKey,
      displayName: modelKey,
      tier: 'medium',
      capabilities: [],
      downloaded: true,
      refusal: null,
      expandedFrom: null,
      maxContextLengthTokens: null,
      loadOptions: [
        {
          loadConfig: LOAD_CONFIG,
          footprint: footprint(modelKey),
          guardrails: null,
          speed: null,
          quality: null,
        },
      ],
      coolingDownUntilMs: null,
      observedGrowth: [],
    })),
    requirement: { capabilities: [], minContextLengthTokens: null, tiers: null },
    resources: {
      timestampMs: atMs,
      observable: true,
      ram: {
        totalBytes: 100 * GIB,
        availableBytes: (100 - used) * GIB,
        mappedCountsAsUsed: false,
      },
      unified: false,
      gpus: [],
      cpu: { utilizationRatio: cpu, othersRatio: cpu },
    },
    residents:
      current === null
        ? []
        : [
            {
              instanceIdentifier: `mai/${current}`,
              modelKey: current,
              loadConfig: LOAD_CONFIG,
              footprint: footprint(current),
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

/** A machine whose time and memory use are set by the test. */
class Driven {
  resident: Key | null = null;
  state: HysteresisState = initialHysteresis();
  #last: Selection | null = null;

  observe(
    atMs: number,
    othersGib: number,
    facts: { timeToHardLimitMs?: number; cpu?: number; marginRatio?: number } = {},
    policy: SelectionPolicy = DEFAULT_SELECTION_POLICY,
  ): Verdict {
    const { timeToHardLimitMs = null, cpu = 0, marginRatio: upgradeMarginRatio = 0.02 } = facts;
    const input = inputOf(atMs, othersGib, this.resident, cpu);
    const selection = selectModel({ ...input, policy, upgradeMarginRatio });
    this.#last = selection;
    const { state, verdict } = reduceHysteresis(
      this.state,
      { atMs, selection, upgradeMarginRatio, timeToHardLimitMs, reactionMs: 5_000 },
      policy,
    );
    this.state = state;
    return verdict;
  }

  carryOut(atMs: number): void {
    const last = this.#last;
    if (last === null) throw new Error('Nothing was observed.');
    const direction = last.decision === 'load' ? 'up' : (last.direction ?? 'up');
    this.resident = KEYS.find((key) => key === last.chosen?.modelKey) ?? null;
    this.state = afterSwitch(this.state, { direction, atMs });
  }
}

describe('when a plan may be carried out', () => {
  it('loads at once when nothing is resident', () => {
    expect(new Driven().observe(0, 10)).toMatchObject({ act: true, reason: 'NOTHING_RESIDENT' });
  });

  it.each([
    [19_999, false, 'DWELLING'],
    [20_000, true, 'DWELL_OVER'],
  ])('steps down after the dwell time: %s ms', (heldMs, act, reason) => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0); // large: 30 + 40 = 70
    machine.observe(100_000, 45); // 85 is over 80
    expect(machine.observe(100_000 + heldMs, 45)).toMatchObject({ act, reason });
  });

  it('starts the dwell again when the pressure goes away in between', () => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    machine.observe(115_000, 30);
    expect(machine.observe(116_000, 45).reason).toBe('DWELLING');
    expect(machine.observe(135_999, 45).reason).toBe('DWELLING');
    expect(machine.observe(136_000, 45).reason).toBe('DWELL_OVER');
  });

  it('acts at once over the hard limit, also in the cool-down', () => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0);
    expect(machine.observe(1_000, 53)).toMatchObject({ act: true, reason: 'EMERGENCY' });
  });

  it('acts at once when a forecast reaches the hard limit before a later decision could take effect', () => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0);
    expect(machine.observe(90_000, 45, { timeToHardLimitMs: 5_001 }).act).toBe(false);
    expect(machine.observe(91_000, 45, { timeToHardLimitMs: 5_000 })).toMatchObject({
      act: true,
      reason: 'FORECAST',
    });
  });

  it('steps back up only after dwell and cool-down', () => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    machine.observe(120_000, 45);
    machine.carryOut(120_000);
    expect(machine.resident).toBe('medium');
    expect(machine.observe(121_000, 20).reason).toBe('COOLING_DOWN');
    expect(machine.observe(179_999, 20).reason).toBe('COOLING_DOWN');
    expect(machine.observe(180_000, 20)).toMatchObject({ act: true, reason: 'DWELL_OVER' });
  });

  it.each([
    [59_999, false, 'COOLING_DOWN'],
    [60_000, true, 'DWELL_OVER'],
  ])(
    'below the hard limit, steps down only after the cool-down of a step up: %s ms',
    (atMs, act, reason) => {
      const machine = new Driven();
      machine.observe(0, 30);
      machine.carryOut(0);
      machine.observe(10_000, 45);
      expect(machine.observe(30_000, 45)).toMatchObject({ act: false, reason: 'COOLING_DOWN' });
      expect(machine.observe(atMs, 45)).toMatchObject({ act, reason });
    },
  );

  it('steps down again within the cool-down of a step down, because that frees memory', () => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    machine.observe(120_000, 45);
    machine.carryOut(120_000); // medium: 45 + 20 = 65
    machine.observe(121_000, 65); // 85 is over 80
    expect(machine.observe(141_000, 65)).toMatchObject({ act: true, reason: 'DWELL_OVER' });
  });

  it('loads no model within the cool-down after its own release', () => {
    const machine = new Driven();
    machine.observe(0, 70);
    machine.carryOut(0); // small
    expect(machine.observe(100_000, 95)).toMatchObject({ act: true, reason: 'EMERGENCY' });
    machine.carryOut(100_000);
    expect(machine.resident).toBeNull();
    expect(machine.observe(159_999, 10)).toMatchObject({ act: false, reason: 'COOLING_DOWN' });
    expect(machine.observe(160_000, 10)).toMatchObject({ act: true, reason: 'NOTHING_RESIDENT' });
  });

  it('does not load a larger model while others keep the CPU busy', () => {
    const machine = new Driven();
    machine.observe(0, 70);
    machine.carryOut(0); // small
    machine.observe(700_000, 20, { cpu: 0.9 });
    expect(machine.observe(730_000, 20, { cpu: 0.9 }).reason).toBe('CPU_PRESSURE');
  });
});

describe('the threshold for a step up', () => {
  it.each([
    ['the limit less the margin', { marginRatio: 0.1 }, {}, 0.7],
    ['not below its minimum', { marginRatio: 0.5 }, {}, 0.65],
    ['not above the limit', { marginRatio: 0.02 }, { memoryLimitRatio: 0.6 }, 0.6],
    ['less where the minimum headroom asks for it', {}, { minHeadroomBytes: 30 * GIB }, 0.7],
  ])('is %s', (_, facts, change, ratio) => {
    const policy = { ...DEFAULT_SELECTION_POLICY, ...change };
    expect(new Driven().observe(0, 30, facts, policy).upgradeBelowRatio).toBeCloseTo(ratio, 10);
  });

  it('is the threshold that the selector acts on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 80 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.double({ min: 0.3, max: 0.8, noNaN: true }),
        (othersGib, marginRatio, upgradeBelowRatioMin) => {
          const policy = { ...DEFAULT_SELECTION_POLICY, upgradeBelowRatioMin };
          const machine = new Driven();
          machine.resident = 'small';
          const { upgradeBelowRatio } = machine.observe(0, othersGib, { marginRatio }, policy);
          const stepsUp = machine.state.pending?.direction === 'up';
          const best = KEYS.slice(0, 2).find(
            (key) => othersGib + SIZES[key] <= upgradeBelowRatio * 100,
          );
          expect(stepsUp).toBe(best !== undefined);
        },
      ),
    );
  });
});

describe('clocks', () => {
  it('counts no time as passed while the clock runs backwards', () => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    machine.observe(115_000, 45);
    expect(machine.observe(50_000, 45)).toMatchObject({ reason: 'DWELLING', waitMs: 5_000 });
    expect(machine.observe(55_000, 45).reason).toBe('DWELL_OVER');
  });

  it('starts the dwell again after a sleep', () => {
    const machine = new Driven();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    expect(machine.observe(3_600_000, 45).reason).toBe('DWELLING');
  });
});

describe('flapping', () => {
  it('never switches in opposite directions within the cool-down unless memory is about to run out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 20, maxLength: 200 }),
        (use) => {
          const machine = new Driven();
          let last: { direction: string; atMs: number } | null = null;
          for (const [index, gib] of use.entries()) {
            const atMs = index * 4_000;
            const verdict = machine.observe(atMs, gib);
            if (!verdict.act) continue;
            machine.carryOut(atMs);
            const switched = machine.state.lastSwitch;
            const opposite =
              last !== null && switched !== null && last.direction !== switched.direction;
            if (opposite && verdict.reason !== 'EMERGENCY') {
              expect(atMs - (last?.atMs ?? 0)).toBeGreaterThanOrEqual(
                DEFAULT_SELECTION_POLICY.coolDownMs,
              );
            }
            last = switched;
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps its state as plain data', () => {
    const machine = new Driven();
    for (let at = 0; at < 60_000; at += 1_000) machine.observe(at, 30 + (at % 7));
    machine.carryOut(60_000);
    expect(JSON.parse(JSON.stringify(machine.state))).toEqual(machine.state);
  });
});
