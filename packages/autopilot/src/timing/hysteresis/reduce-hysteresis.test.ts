import fc from 'fast-check';
import {
  candidate,
  footprint,
  input,
  resident,
  resources,
} from '../../../../selector/test/build-input.js';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { selectModel } from '@mai/selector';
import type { HysteresisState, Verdict } from './hysteresis-state.js';
import { initialHysteresis, reduceHysteresis, upgradeBelowRatio } from './reduce-hysteresis.js';

/** A machine of 100 GiB with a chain of 40, 20 and 5 GiB, driven by hand. */
function drive(): {
  observe: (
    atMs: number,
    othersGib: number,
    facts?: { timeToHardLimitMs?: number; cpu?: number },
  ) => Verdict;
  carryOut: (atMs: number) => void;
  readonly resident: string | null;
  state: HysteresisState;
} {
  const sizes: Record<string, number> = { large: 40, medium: 20, small: 5 };
  const candidates = Object.entries(sizes).map(([key, gib]) => candidate(key, gib));
  let current: string | null = null;
  let last = selectModel(input({}));
  const driven = {
    state: initialHysteresis(),
    get resident() {
      return current;
    },
    observe(
      atMs: number,
      othersGib: number,
      facts: { timeToHardLimitMs?: number; cpu?: number } = {},
    ) {
      const used = othersGib + (current === null ? 0 : (sizes[current] ?? 0));
      last = selectModel(
        input({
          candidates,
          residents:
            current === null
              ? []
              : [resident(current, footprint({ anonymous: sizes[current] ?? 0 }))],
          resources: resources(
            { total: 100, available: 100 - used },
            {
              timestampMs: atMs,
              cpu: { utilizationRatio: facts.cpu ?? 0, othersRatio: facts.cpu ?? 0 },
            },
          ),
          upgradeMarginRatio: driven.state.upgradeMarginRatio,
        }),
      );
      const { state, verdict } = reduceHysteresis(
        driven.state,
        {
          type: 'observed',
          atMs,
          selection: last,
          timeToHardLimitMs: facts.timeToHardLimitMs ?? null,
          reactionMs: 5_000,
        },
        DEFAULT_SELECTION_POLICY,
      );
      driven.state = state;
      return verdict;
    },
    carryOut(atMs: number) {
      const direction = last.decision === 'load' ? 'up' : (last.direction ?? 'up');
      current = last.chosen?.modelKey ?? null;
      driven.state = reduceHysteresis(
        driven.state,
        { type: 'switched', atMs, direction },
        DEFAULT_SELECTION_POLICY,
      ).state;
    },
  };
  return driven;
}

describe('when a plan may be carried out', () => {
  it('loads at once when nothing is resident', () => {
    expect(drive().observe(0, 10)).toMatchObject({ act: true, reason: 'NOTHING_RESIDENT' });
  });

  it.each([
    [19_999, false, 'DWELLING'],
    [20_000, true, 'DWELL_OVER'],
  ])('steps down after the dwell time: %s ms', (heldMs, act, reason) => {
    const machine = drive();
    machine.observe(0, 30);
    machine.carryOut(0); // large: 30 + 40 = 70
    machine.observe(100_000, 45); // 85 is over 80
    expect(machine.observe(100_000 + heldMs, 45)).toMatchObject({ act, reason });
  });

  it('forgets what was due when the pressure goes away in between', () => {
    const machine = drive();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    machine.observe(115_000, 30);
    expect(machine.observe(116_000, 45).reason).toBe('DWELLING');
    expect(machine.observe(135_999, 45).reason).toBe('DWELLING');
    expect(machine.observe(136_000, 45).reason).toBe('DWELL_OVER');
  });

  it('acts at once over the hard limit, also in the cool-down', () => {
    const machine = drive();
    machine.observe(0, 30);
    machine.carryOut(0);
    expect(machine.observe(1_000, 53)).toMatchObject({ act: true, reason: 'EMERGENCY' });
  });

  it('acts at once when the forecast reaches the hard limit before it could react', () => {
    const machine = drive();
    machine.observe(0, 30);
    machine.carryOut(0);
    expect(machine.observe(90_000, 45, { timeToHardLimitMs: 5_001 }).act).toBe(false);
    expect(machine.observe(91_000, 45, { timeToHardLimitMs: 5_000 })).toMatchObject({
      act: true,
      reason: 'FORECAST',
    });
  });

  it('does not step back up within the cool-down, and does after dwell and cool-down', () => {
    const machine = drive();
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
  ])('does not step down %s ms after stepping up, short of the hard limit', (atMs, act, reason) => {
    const machine = drive();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(10_000, 45);
    expect(machine.observe(30_000, 45)).toMatchObject({ act: false, reason: 'COOLING_DOWN' });
    expect(machine.observe(atMs, 45)).toMatchObject({ act, reason });
  });

  it('steps down again within the cool-down of a step down: that is relief', () => {
    const machine = drive();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    machine.observe(120_000, 45);
    machine.carryOut(120_000); // medium: 45 + 20 = 65
    machine.observe(121_000, 65); // 85 is over 80
    expect(machine.observe(141_000, 65)).toMatchObject({ act: true, reason: 'DWELL_OVER' });
  });

  it('does not load again within the cool-down of a release of its own', () => {
    const machine = drive();
    machine.observe(0, 70);
    machine.carryOut(0); // small
    expect(machine.observe(100_000, 95)).toMatchObject({ act: true, reason: 'EMERGENCY' });
    machine.carryOut(100_000);
    expect(machine.resident).toBeNull();
    expect(machine.observe(159_999, 10)).toMatchObject({ act: false, reason: 'COOLING_DOWN' });
    expect(machine.observe(160_000, 10)).toMatchObject({ act: true, reason: 'NOTHING_RESIDENT' });
  });

  it('does not load a larger model while others keep the CPU busy', () => {
    const machine = drive();
    machine.observe(0, 70);
    machine.carryOut(0); // small
    machine.observe(700_000, 20, { cpu: 0.9 });
    expect(machine.observe(730_000, 20, { cpu: 0.9 }).reason).toBe('CPU_PRESSURE');
  });
});

describe('the adaptive upgrade threshold', () => {
  it('is two points under the limit on a quiet machine', () => {
    const machine = drive();
    expect(machine.observe(0, 30).upgradeBelowRatio).toBeCloseTo(0.78, 10);
  });

  it('leaves as much room as others have risen by lately', () => {
    const machine = drive();
    machine.observe(0, 30);
    machine.observe(10_000, 39);
    expect(machine.observe(20_000, 33).upgradeBelowRatio).toBeCloseTo(0.71, 10);
  });

  it('does not go below its minimum, and a fall alone does not lower it', () => {
    const machine = drive();
    machine.observe(0, 70);
    expect(machine.observe(10_000, 20).upgradeBelowRatio).toBeCloseTo(0.78, 10);
    expect(machine.observe(20_000, 60).upgradeBelowRatio).toBeCloseTo(0.65, 10);
  });

  it('tells a fall from a rise within a moment', () => {
    const machine = drive();
    machine.observe(0, 70);
    expect(machine.observe(1000, 20).upgradeBelowRatio).toBeCloseTo(0.78, 10);
    expect(machine.observe(2000, 25).upgradeBelowRatio).toBeCloseTo(0.75, 10);
  });

  it('forgets after ten minutes', () => {
    const machine = drive();
    machine.observe(0, 30);
    for (let at = 10_000; at <= 620_000; at += 10_000) machine.observe(at, 45);
    expect(machine.observe(630_000, 45).upgradeBelowRatio).toBeCloseTo(0.78, 10);
  });

  it('lies between its minimum and two points under the limit, whatever was observed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 60 }), (use) => {
        const machine = drive();
        for (const [index, gib] of use.entries()) {
          const ratio = machine.observe(index * 7_000, gib).upgradeBelowRatio;
          expect(ratio).toBeGreaterThanOrEqual(0.65 - 1e-12);
          expect(ratio).toBeLessThanOrEqual(0.78 + 1e-12);
        }
      }),
    );
  });

  it('follows a limit that is closer to the minimum than two points', () => {
    expect(
      upgradeBelowRatio(initialHysteresis(), {
        ...DEFAULT_SELECTION_POLICY,
        memoryLimitRatio: 0.66,
      }),
    ).toBeCloseTo(0.64, 10);
  });
});

describe('clocks', () => {
  it('counts time that runs backwards as no time', () => {
    const machine = drive();
    machine.observe(0, 30);
    machine.carryOut(0);
    machine.observe(100_000, 45);
    machine.observe(115_000, 45);
    expect(machine.observe(50_000, 45)).toMatchObject({ reason: 'DWELLING', waitMs: 5_000 });
    expect(machine.observe(55_000, 45).reason).toBe('DWELL_OVER');
  });

  it('starts the dwell again after a sleep', () => {
    const machine = drive();
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
          const machine = drive();
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

  it('keeps its state bounded and serialisable', () => {
    const machine = drive();
    for (let at = 0; at < 7_200_000; at += 1_000) machine.observe(at, 30 + (at % 7));
    expect(machine.state.useHistory['ram']?.length).toBeLessThanOrEqual(121);
    expect(JSON.parse(JSON.stringify(machine.state))).toEqual(machine.state);
  });
});
