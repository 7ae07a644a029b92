import type { PoolOutcome, Selection } from '@mai/selector';
import type { Verdict } from '../timing/hysteresis/hysteresis-state.js';
import fc from 'fast-check';
import { ManualClock } from '../../test/manual-clock.js';
import { createEventHub } from './event-hub.js';
import { addUse, forecastUse, type UseSamples } from './forecast.js';
import { mergeRequirements } from './merge-requirements.js';
import { reactionMs, SETTLE_MS } from './reaction.js';
import { reasonToAct } from './reason-to-act.js';
import { createWaker } from './waker.js';

const GIB = 1024 ** 3;
const pool = (othersBytes: number): PoolOutcome => ({
  pool: 'ram',
  totalBytes: 32 * GIB,
  othersBytes,
  useBeforeBytes: othersBytes + 4 * GIB,
  useAfterBytes: othersBytes + 4 * GIB,
  headroomBytes: 28 * GIB - othersBytes,
  limitRatio: 0.8,
  limitBytes: Math.floor(0.8 * 32 * GIB),
  hardLimitRatio: 0.75,
  hardLimitBytes: 24 * GIB,
  reclaimableBytes: 0,
});
const forecast = (usesBytes: readonly number[]): number | null => {
  let samples: UseSamples = [];
  let pools: PoolOutcome[] = [];
  for (const [index, bytes] of usesBytes.entries()) {
    pools = [pool(bytes)];
    samples = addUse(samples, index * 1000, pools);
  }
  return forecastUse(samples, pools)?.timeToHardLimitMs ?? null;
};

const down: Selection = {
  decision: 'switch',
  direction: 'down',
  chosen: null,
  plan: { steps: [], order: null },
  pools: [],
  headroomBytes: null,
  rejected: [],
  afterDrain: null,
  notes: [],
};

describe('reasonToAct', () => {
  const act = (reason: Verdict['reason']): Verdict => ({
    act: true,
    reason,
    waitMs: null,
    upgradeBelowRatio: 0.7,
  });
  const calm = { yieldsChanged: false, wanted: true, waiting: 0, heldBack: () => false };

  it('is held back by what was put off, but not in an emergency', () => {
    const held = { ...calm, heldBack: () => true };
    expect(reasonToAct(down, act('DWELL_OVER'), calm)).toBe('DWELL_OVER');
    expect(reasonToAct(down, act('DWELL_OVER'), held)).toBeNull();
    expect(reasonToAct(down, act('EMERGENCY'), held)).toBe('EMERGENCY');
  });

  it('does not wait for the verdict where somebody waits for a model or for memory', () => {
    const wait: Verdict = { act: false, reason: 'DWELLING', waitMs: 1000, upgradeBelowRatio: 0.7 };
    expect(reasonToAct(down, wait, calm)).toBeNull();
    expect(reasonToAct(down, wait, { ...calm, waiting: 1 })).toBe('REQUESTED');
    expect(reasonToAct(down, wait, { ...calm, yieldsChanged: true })).toBe('YIELD');
    const up = { ...down, direction: 'up' as const };
    expect(reasonToAct(up, wait, { ...calm, yieldsChanged: true })).toBeNull();
  });
});

describe('reactionMs', () => {
  it('is the next round, what settles, and the load of what is chosen', () => {
    const footprint = {
      ram: { mappedBytes: 3e9, anonymousBytes: 1e9 },
      gpus: [{ deviceKey: 'gpu:0', bytes: 2e9 }],
      interval: null,
      source: 'measured',
      confidence: 'high',
    } as const;
    const loading = {
      ...down,
      chosen: { footprint },
      plan: { steps: [{ action: 'load' }], order: null },
    } as unknown as Selection;
    expect(reactionMs(down, 1000)).toBe(1000 + SETTLE_MS);
    expect(reactionMs(loading, 1000)).toBe(1000 + SETTLE_MS + 6000);
  });
});

describe('forecastUse', () => {
  // The hard limit is 24 GiB and 4 GiB are ours: others reach it at 20 GiB.
  it('tells when a ramp reaches the limit', () => {
    expect(forecast([10, 10.5, 11, 11.5, 12, 12.5].map((gib) => gib * GIB))).toBe(15_000);
  });

  it('is not bent by a single spike', () => {
    const ramp = [10, 10.5, 11, 18, 12, 12.5, 13, 13.5, 14].map((gib) => gib * GIB);
    expect(Math.abs((forecast(ramp) ?? 0) - 12_000)).toBeLessThan(1500);
  });

  it.each([
    ['too few samples', [10, 11, 12, 13]],
    ['no change', [10, 10, 10, 10, 10, 10]],
    ['a fall', [15, 14, 13, 12, 11, 10]],
    ['noise', [10, 10.6, 9.9, 10.5, 10, 10.6]],
    ['a step', [10, 10, 10, 10, 10, 10, 10, 14]],
    ['a rise too small to matter', [10, 10.1, 10.2, 10.3, 10.4, 10.5]],
  ])('says nothing on %s', (_, gib) => {
    expect(forecast(gib.map((one) => one * GIB))).toBeNull();
  });

  it('is zero beyond the limit and never negative', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40 * 1024), { maxLength: 60 }), (mib) => {
        const timeMs = forecast(mib.map((one) => one * 1024 * 1024));
        expect(timeMs === null || timeMs >= 0).toBe(true);
      }),
    );
  });
});

describe('mergeRequirements', () => {
  it('asks for what meets all of them', () => {
    expect(
      mergeRequirements([
        { capabilities: ['chat'], minContextLengthTokens: null, tiers: null },
        {
          capabilities: ['chat', 'tools'],
          minContextLengthTokens: 4096,
          tiers: ['small', 'medium'],
        },
        { capabilities: [], minContextLengthTokens: 8192, tiers: ['medium', 'large'] },
      ]),
    ).toEqual({ capabilities: ['chat', 'tools'], minContextLengthTokens: 8192, tiers: ['medium'] });
  });

  it('keeps the tiers of the first where they exclude each other', () => {
    const requirement = { capabilities: [], minContextLengthTokens: null };
    expect(
      mergeRequirements([
        { ...requirement, tiers: ['small'] },
        { ...requirement, tiers: ['large'] },
      ]).tiers,
    ).toEqual(['small']);
  });
});

describe('createEventHub', () => {
  it('gives every reader everything from when it began, and ends with the hub', async () => {
    const hub = createEventHub<number>(10);
    hub.publish(0);
    const first = hub.subscribe();
    hub.publish(1);
    const second = hub.subscribe();
    hub.publish(2);
    hub.close();
    const read = async (reader: AsyncIterable<number>): Promise<number[]> => {
      const events: number[] = [];
      for await (const event of reader) events.push(event);
      return events;
    };
    expect(await read(first)).toEqual([1, 2]);
    expect(await read(second)).toEqual([2]);
    expect(await read(hub.subscribe())).toEqual([]);
  });

  it('drops the oldest for a reader that falls behind, and holds nothing for one that left', async () => {
    const hub = createEventHub<number>(3);
    const reader = hub.subscribe();
    for (let event = 0; event < 10; event += 1) hub.publish(event);
    expect((await reader.next()).value).toBe(7);
    await reader.return?.();
    hub.publish(11);
    expect(await reader.next()).toEqual({ value: undefined, done: true });
  });

  it('ends a read that is waiting', async () => {
    const hub = createEventHub<number>(3);
    const waiting = hub.subscribe().next();
    hub.close();
    expect((await waiting).done).toBe(true);
  });
});

describe('createWaker', () => {
  it('sleeps its time, or until it is woken, and leaves no timer', async () => {
    const clock = new ManualClock();
    const startedMs = clock.monotonicMs();
    const waker = createWaker();
    const { signal } = new AbortController();
    const sleeping = waker.sleep(clock, 1000, signal);
    expect(await clock.drive(sleeping)).toBe(false);
    expect(clock.monotonicMs() - startedMs).toBe(1000);
    const woken = waker.sleep(clock, 1000, signal);
    waker.wake();
    expect(await woken).toBe(true);
    waker.wake();
    await waker.sleep(clock, 1000, signal);
    expect(clock.monotonicMs() - startedMs).toBe(1000);
    await clock.drive(waker.sleep(clock, 1000, signal));
    expect(clock.monotonicMs() - startedMs).toBe(2000);
    expect(clock.pending).toBe(0);
  });

  it('rejects with the reason of the signal', async () => {
    const clock = new ManualClock();
    const waker = createWaker();
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = waker.sleep(clock, 1000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(waker.sleep(clock, 1000, controller.signal)).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
  });
});
