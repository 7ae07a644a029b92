import fc from 'fast-check';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { backOffMs } from './back-off.js';
import { breakerAfterFailure, CLOSED_BREAKER, isBreakerOpen } from './breaker.js';
import { RetryState } from './retry-state.js';
import {
  coolDowns,
  recordCrash,
  recordFailure,
  recordSuccess,
  withoutChangedFiles,
  type FailureLedger,
} from './failure-ledger.js';

const BACK_OFF = { baseMs: 60_000, maxMs: 1_800_000, jitterRatio: 0.2 };
const NO_JITTER = { ...BACK_OFF, jitterRatio: 0 };

describe('backOffMs', () => {
  it.each([
    [1, 60_000],
    [2, 120_000],
    [5, 960_000],
    [6, 1_800_000],
    [10_000, 1_800_000],
  ])('after %d failures in a row waits %d ms', (failures, waitMs) => {
    expect(backOffMs(NO_JITTER, failures, () => 0.5)).toBe(waitMs);
  });

  it('varies at most by the jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, random) => {
          const middle = backOffMs(NO_JITTER, failures, () => 0.5);
          const waitMs = backOffMs(BACK_OFF, failures, () => random);
          expect(Math.abs(waitMs - middle)).toBeLessThanOrEqual(0.2 * middle + 1);
        },
      ),
    );
  });
});

describe('the failure ledger', () => {
  const facts = (world: FakeWorld) => ({
    nowMs: world.clock.nowMs(),
    resources: world.resources(),
    backOff: NO_JITTER,
    random: () => 0.5,
    fileStamp: 'first',
  });

  it('allows a load after the cool-down of one failure', () => {
    const world = new FakeWorld();
    const { nowMs } = facts(world);
    const ledger = recordFailure(
      {},
      { modelKey: 'a', code: 'LOAD_FAILED', message: 'Failed.' },
      facts(world),
    );
    expect(coolDowns(ledger, nowMs + 59_999, world.resources())).toEqual({ a: nowMs + 60_000 });
    expect(coolDowns(ledger, nowMs + 60_000, world.resources())).toEqual({});
  });

  it('waits longer with every failure in a row, and starts again after a success', () => {
    const world = new FakeWorld();
    const failure = { modelKey: 'a', code: 'LOAD_FAILED', message: 'Failed.' } as const;
    const once = recordFailure({}, failure, facts(world));
    const twice = recordFailure(once, failure, facts(world));
    expect(twice['a']?.coolingDownUntilMs).toBe(world.clock.nowMs() + 120_000);
    expect(recordSuccess(twice, 'a', world.clock.nowMs())).toEqual({});
  });

  it('keeps the message of the last failure', () => {
    const world = new FakeWorld();
    const failed = recordFailure(
      {},
      { modelKey: 'a', code: 'LOAD_FAILED', message: 'The engine crashed.' },
      facts(world),
    );
    expect(failed['a']?.message).toBe('The engine crashed.');
    const crashed = recordCrash(failed, 'a', facts(world));
    expect(crashed['a']?.message).toMatch(/^The engine of a has crashed after its load .*: 2\)/);
  });

  it('does not retry an out-of-memory failure until more memory is free', () => {
    const world = new FakeWorld();
    const { nowMs } = facts(world);
    const ledger = recordFailure(
      {},
      { modelKey: 'a', code: 'LOAD_REFUSED', message: 'Failed.' },
      facts(world),
    );
    const laterMs = nowMs + 3_600_000;
    expect(Object.keys(coolDowns(ledger, laterMs, world.resources()))).toEqual(['a']);
    world.othersBytes -= 1.5 * GIB;
    expect(Object.keys(coolDowns(ledger, laterMs, world.resources()))).toEqual(['a']);
    world.othersBytes -= 0.2 * GIB;
    expect(coolDowns(ledger, laterMs, world.resources())).toEqual({});
  });

  it('retries a model whose file was missing soon, whatever failed before, and later each time it is still missing', () => {
    const world = new FakeWorld();
    const { nowMs } = facts(world);
    let ledger: FailureLedger = {};
    const waitAfter = (code: 'LOAD_FAILED' | 'MODEL_NOT_FOUND'): number => {
      ledger = recordFailure(ledger, { modelKey: 'a', code, message: 'Failed.' }, facts(world));
      return (ledger['a']?.coolingDownUntilMs ?? 0) - nowMs;
    };
    expect(waitAfter('LOAD_FAILED')).toBe(60_000);
    expect(waitAfter('LOAD_FAILED')).toBe(120_000);
    expect(waitAfter('MODEL_NOT_FOUND')).toBe(15_000);
    expect(waitAfter('MODEL_NOT_FOUND')).toBe(30_000);
    expect(coolDowns(ledger, nowMs + 29_999, world.resources())).toEqual({ a: nowMs + 30_000 });
    expect(coolDowns(ledger, nowMs + 30_000, world.resources())).toEqual({});
  });

  it('ignores a failure in the future, because the clock was set back', () => {
    const world = new FakeWorld();
    const { nowMs } = facts(world);
    const ledger = recordFailure(
      {},
      { modelKey: 'a', code: 'LOAD_REFUSED', message: 'Failed.' },
      facts(world),
    );
    expect(coolDowns(ledger, nowMs, world.resources())).toEqual({ a: nowMs + 60_000 });
    expect(coolDowns(ledger, nowMs - 1, world.resources())).toEqual({});
  });

  it.each([
    ['of another file', 'first', 'second', []],
    ['of the same file', 'first', 'first', ['a']],
    ['where the file is not known now', 'first', null, ['a']],
    ['where the file that failed is not known', null, 'second', ['a']],
  ] as const)('forgets or keeps a failure %s', (_, fileStamp, latest, kept) => {
    const world = new FakeWorld();
    const failure = { modelKey: 'a', code: 'LOAD_REFUSED', message: 'Failed.' } as const;
    const ledger = recordFailure({}, failure, { ...facts(world), fileStamp });
    const stamps = new Map(latest === null ? [] : [['a', latest]]);
    expect(Object.keys(withoutChangedFiles(ledger, stamps))).toEqual(kept);
  });

  it('forgets a failure after six hours, because a setting may have changed', () => {
    const world = new FakeWorld();
    const ledger = recordFailure(
      {},
      { modelKey: 'a', code: 'LOAD_REFUSED', message: 'Failed.' },
      facts(world),
    );
    const sixHoursMs = 6 * 3_600_000;
    const nowMs = world.clock.nowMs();
    expect(coolDowns(ledger, nowMs + sixHoursMs - 1, null)).toEqual({ a: nowMs + sixHoursMs });
    expect(coolDowns(ledger, nowMs + sixHoursMs, null)).toEqual({});
  });
});

describe('the breaker', () => {
  const policy = { failures: 3, withinMs: 10_000, openMs: 60_000 };
  const after = (...timesMs: number[]) =>
    timesMs.reduce((state, atMs) => breakerAfterFailure(state, policy, atMs), CLOSED_BREAKER);

  it('opens after many failures in a short time, and not after failures far apart', () => {
    expect(isBreakerOpen(after(0, 1000), 1000)).toBe(false);
    expect(isBreakerOpen(after(0, 1000, 2000), 2000)).toBe(true);
    expect(isBreakerOpen(after(0, 8000, 16_000, 24_000), 24_000)).toBe(false);
  });

  // Three files for a newer engine must not stop the loads of models that the engine can read.
  it.each([
    ['LOAD_REFUSED', null],
    ['FILE_REFUSED', null],
    ['LOAD_FAILED', 62_000],
  ] as const)('three failures with %s pause all loads until %s', async (code, untilMs) => {
    const world = new FakeWorld();
    const startMs = world.clock.nowMs();
    const retries = new RetryState(
      world.clock,
      () => 0.5,
      () => ({ putOff: NO_JITTER, failure: NO_JITTER, breaker: policy }),
    );
    for (const modelKey of ['a', 'b', 'c']) {
      retries.failed({ modelKey, code, message: 'Failed.' }, world.resources(), new Map());
      if (modelKey !== 'c') await world.clock.advance(1000);
    }
    expect(retries.breakerOpenUntilMs).toBe(untilMs === null ? null : startMs + untilMs);
  });

  it('closes after the pause, and opens again at a failure soon after the pause, but not at a much later failure', () => {
    const open = after(0, 1000, 2000);
    expect(isBreakerOpen(open, 61_999)).toBe(true);
    expect(isBreakerOpen(open, 62_000)).toBe(false);
    expect(isBreakerOpen(breakerAfterFailure(open, policy, 63_000), 63_000)).toBe(true);
    expect(isBreakerOpen(breakerAfterFailure(open, policy, 80_000), 80_000)).toBe(false);
  });
});
