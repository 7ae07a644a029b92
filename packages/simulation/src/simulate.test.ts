import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { GIB, model, row } from '../test/simulation.js';
import { referenceQualityMs } from './reference-planner.js';
import { simulate, type SimulationOptions } from './simulate.js';

// 32 GiB: the limit is 25.6 GiB, the hard limit 29.44 GiB.
const MODELS = [model('large', 16, 0.9, 16), model('small', 4, 0.5, 4)];
const run = (options: Partial<SimulationOptions>) =>
  simulate({
    trace: [row(0, 6), row(600, 6)],
    models: MODELS,
    limits: DEFAULT_SELECTION_POLICY,
    ...options,
  });

describe('simulate', () => {
  it('adds up a quiet run: one load, and the rest of the time the best model', async () => {
    const report = await run({});
    expect(report).toMatchObject({
      durationMs: 600_000,
      switches: 0,
      flaps: 0,
      overloadedMs: 0,
      outOfMemoryEvents: 0,
      noModelMs: 16_000,
      timeByModelMs: { large: 584_000 },
    });
    expect(report.qualityMs).toBeCloseTo(0.9 * 584_000);
    expect(report.referenceQualityMs).toBeCloseTo(0.9 * 584_000);
    expect(report.qualityRatio).toBeCloseTo(1);
  });

  it.each(['mai', 'static'] as const)('is broken off under %s, and at once', async (policy) => {
    const stop = new AbortController();
    const reason = new Error('enough');
    // As many requests as a trace can ask for, for a century.
    const requests = { ratePerMinute: 60_000, meanSeconds: 1 };
    const trace = [{ ...row(0, 6), requests }, row(100 * 365 * 86_400, 6)];
    setImmediate(() => stop.abort(reason));
    await expect(run({ trace, policy, signal: stop.signal })).rejects.toBe(reason);
  });

  it('reports this and nothing else', async () => {
    const report = await run({ trace: [row(0, 6), row(20, 6)] });
    expect(Object.keys(report).sort()).toEqual(
      [
        'durationMs',
        'switches',
        'emergencySwitches',
        'switchesPerHour',
        'flaps',
        'overloadedMs',
        'avoidableOverloadedMs',
        'outOfMemoryEvents',
        'avoidableOutOfMemoryEvents',
        'busyEvictions',
        'droppedRequests',
        'noModelMs',
        'qualityMs',
        'referenceQualityMs',
        'qualityRatio',
        'timeByModelMs',
        'decisions',
      ].sort(),
    );
  });

  it('steps down and up again, with no flap and no overload', async () => {
    const report = await run({ trace: [row(0, 6), row(300, 12), row(600, 6), row(2400, 6)] });
    expect(report).toMatchObject({
      switches: 2,
      emergencySwitches: 0,
      flaps: 0,
      overloadedMs: 0,
      busyEvictions: 0,
    });
    expect(report.decisions.map((one) => [one.reason, one.modelKey])).toEqual([
      ['NOTHING_RESIDENT', 'large'],
      ['DWELL_OVER', 'small'],
      ['DWELL_OVER', 'large'],
    ]);
  });

  it('never evicts what is pinned', async () => {
    const trace = [row(0, 6), row(300, 12), row(600, 6), row(700, 6)];
    const report = await run({ trace, pinned: ['large'] });
    expect(report).toMatchObject({ switches: 0, timeByModelMs: { large: 684_000 } });
  });

  it('waits for running requests as long as it is told, before it puts a switch off', async () => {
    // One request from second 20 on that lasts for hours.
    const busy = { requests: { ratePerMinute: 600, meanSeconds: 100_000 } };
    const trace = [row(0, 6), row(20, 6, busy), row(300, 12), row(600, 12)];
    const waited = async (drainDeadlineMs: number) => {
      const { decisions } = await run({ trace, drainDeadlineMs });
      return decisions.find(({ outcome }) => outcome === 'put-off')?.atMs;
    };
    const soon = await waited(10_000);
    expect(await waited(60_000)).toBe((soon ?? 0) + 50_000);
  });

  it('counts overload and what of it could have been avoided', async () => {
    // 16 GiB of a model beside 14 are 30, over the hard limit from second 300 on.
    const report = await run({
      policy: 'static',
      trace: [row(0, 6), row(300, 14), row(400, 6), row(500, 6)],
    });
    expect(report.overloadedMs).toBe(100_000);
    expect(report.avoidableOverloadedMs).toBe(99_000);
    expect(report.outOfMemoryEvents).toBe(0);
  });

  it('tells running out of memory that could be avoided from what could not', async () => {
    const slow = await run({
      policy: 'static',
      trace: [row(0, 6), row(300, 14), row(301, 17), row(310, 6), row(320, 6)],
    });
    expect(slow).toMatchObject({ outOfMemoryEvents: 1, avoidableOutOfMemoryEvents: 1 });
    // Nobody can act within the first observation interval.
    const sudden = await run({
      policy: 'static',
      trace: [row(0, 6), row(300, 17), row(310, 6), row(320, 6)],
    });
    expect(sudden).toMatchObject({ outOfMemoryEvents: 1, avoidableOutOfMemoryEvents: 0 });
    const others = await run({
      policy: 'static',
      trace: [row(0, 6), row(300, 33), row(310, 6), row(320, 6)],
    });
    expect(others).toMatchObject({ outOfMemoryEvents: 1, avoidableOutOfMemoryEvents: 0 });
  });

  it('gives no credit for a model that has been over the limit for longer than the dwell', async () => {
    const report = await run({ policy: 'static', trace: [row(0, 6), row(300, 12), row(400, 12)] });
    expect(report.qualityMs).toBeCloseTo(0.9 * (284_000 + DEFAULT_SELECTION_POLICY.dwellMs));
  });

  it('drops requests that find nothing ready and never evicts a busy model', async () => {
    const requests = { ratePerMinute: 12, meanSeconds: 4 };
    const trace = [
      row(0, 6, { requests }),
      row(600, 12, { requests }),
      row(1200, 6, { requests }),
      row(3600, 6, { requests }),
    ];
    const report = await run({ trace });
    expect(report.busyEvictions).toBe(0);
    expect(report.droppedRequests).toBeGreaterThan(0);
    expect(report.flaps).toBe(0);
  });

  it('uses the listed rungs before the next model', async () => {
    const rungs = [{ footprintBytes: 12 * GIB, vramBytes: 0, quality: 0.85 }];
    const report = await run({
      models: [model('large', 16, 0.9, 16, rungs), model('small', 4, 0.5, 4)],
      trace: [row(0, 6), row(300, 12), row(900, 12)],
    });
    expect(Object.keys(report.timeByModelMs)).toEqual(['large']);
    expect(report.switches).toBe(1);
  });

  it('lives through events', async () => {
    const report = await run({
      trace: [
        row(0, 6, { events: [{ type: 'failNextLoads', count: 1 }] }),
        row(300, 6, { events: [{ type: 'lmStudioDown' }] }),
        row(360, 6, { events: [{ type: 'lmStudioUp' }] }),
        row(900, 6, {
          events: [
            {
              type: 'foreignLoad',
              instanceIdentifier: 'by-hand',
              modelKey: 'x/y',
              ramBytes: 8 * GIB,
              vramBytes: 0,
            },
          ],
        }),
        row(1500, 6, { events: [{ type: 'foreignUnload', instanceIdentifier: 'by-hand' }] }),
        row(3600, 6),
      ],
    });
    expect(report).toMatchObject({ flaps: 0, avoidableOverloadedMs: 0, outOfMemoryEvents: 0 });
    expect(report.timeByModelMs['small']).toBeGreaterThan(0);
    expect(report.qualityRatio).toBeGreaterThan(0.8);
  });

  it.each([
    ['observe', 0],
    ['evict', 1],
  ] as const)('leaves what somebody else loads to the policy: %s', async (foreign, evictions) => {
    const theirs = {
      type: 'foreignLoad' as const,
      instanceIdentifier: 'theirs',
      modelKey: 'x/y',
      ramBytes: 12 * GIB,
      vramBytes: 0,
    };
    const { timeByModelMs } = await run({
      limits: { ...DEFAULT_SELECTION_POLICY, foreign },
      trace: [row(0, 6), row(100, 6, { events: [theirs] }), row(3600, 6)],
    });
    // With them 34 GiB are asked for: either they go, or the large model does.
    expect((timeByModelMs['large'] ?? 0) > 3_000_000).toBe(evictions > 0);
  });

  it('counts requests that are lost with LM Studio', async () => {
    const requests = { ratePerMinute: 600, meanSeconds: 1e6 };
    const down = {
      requests: { ratePerMinute: 0, meanSeconds: 0 },
      events: [{ type: 'lmStudioDown' as const }],
    };
    const { droppedRequests, busyEvictions } = await run({
      trace: [row(0, 6), row(100, 6, { requests }), row(200, 6, down), row(300, 6)],
    });
    expect([droppedRequests, busyEvictions]).toEqual([4, 0]);
  });

  describe('with two GPUs', () => {
    const gpus = (first: number, second: number) => ({
      gpus: [
        { totalBytes: 24 * GIB, othersBytes: first * GIB, unified: false },
        { totalBytes: 12 * GIB, othersBytes: second * GIB, unified: false },
      ],
    });
    const split = (modelKey: string, vramGib: number, quality: number) => ({
      ...model(modelKey, vramGib + 1, quality, vramGib),
      vramBytes: vramGib * GIB,
    });
    const models = [split('large', 15, 0.9), split('small', 3, 0.5)];

    it('splits a model over them by their size', async () => {
      const serving: unknown[] = [];
      await run({
        models,
        trace: [row(0, 6, gpus(1, 1)), row(100, 6, gpus(1, 1))],
        onServing: (one) => serving.push(one),
      });
      expect(serving).toEqual([
        { modelKey: 'large', rungIndex: 0, ramBytes: GIB, vramBytes: [10 * GIB, 5 * GIB] },
      ]);
    });

    it.each([
      ['first', gpus(15, 1)],
      ['second', gpus(1, 7)],
    ])('steps down when the %s is over its hard limit', async (_, change) => {
      const report = await run({
        models,
        trace: [row(0, 6, gpus(1, 1)), row(300, 6, change), row(600, 6, change)],
      });
      expect(report.timeByModelMs['small']).toBe(297_000);
      expect(report).toMatchObject({ emergencySwitches: 1, avoidableOverloadedMs: 0 });
    });

    it('counts what others load on either of them', async () => {
      const load = {
        type: 'foreignLoad' as const,
        instanceIdentifier: 'by-hand',
        modelKey: 'x/y',
        ramBytes: 0,
        vramBytes: 7 * GIB,
        gpu: 1,
      };
      const report = await run({
        models,
        policy: 'static',
        trace: [
          row(0, 6, gpus(1, 1)),
          row(300, 6, { ...gpus(1, 1), events: [load] }),
          row(400, 6, gpus(1, 1)),
        ],
      });
      expect(report.overloadedMs).toBe(100_000);
      // Small from second 3, large from 18 with small meanwhile, and small again just in time at 300.
      expect(report.referenceQualityMs).toBeCloseTo(0.5 * 15e3 + 0.9 * 282e3 + 0.5 * 100e3);
    });
  });

  it('leaves nothing loaded that has been replaced, however busy it was', async () => {
    const requests = { ratePerMinute: 8, meanSeconds: 60 };
    const serving: (string | null)[] = [];
    const report = await run({
      trace: [row(0, 12), row(300, 4, { requests }), row(500, 4), row(4000, 4)],
      onServing: (one) => serving.push(one?.modelKey ?? null),
    });
    expect(serving.at(-1)).toBe('large');
    // Two at once would be over no limit here, and are a waste all the same.
    expect(report.decisions.at(-1)?.outcome).toBe('switched');
    expect(report.busyEvictions).toBe(0);
  });

  it('gives the same report for the same seed', async () => {
    const requests = { ratePerMinute: 20, meanSeconds: 5 };
    const trace = [row(0, 6, { requests }), row(300, 13, { requests }), row(900, 6)];
    expect(await run({ trace, seed: 3 })).toEqual(await run({ trace, seed: 3 }));
  });

  it.each(['static', 'naive', 'lru-evict', 'jit-last'] as const)('runs %s', async (policy) => {
    const requests = { ratePerMinute: 4, meanSeconds: 4 };
    const trace = [row(0, 6, { requests }), row(300, 13, { requests }), row(900, 6)];
    const report = await run({ trace, policy });
    expect(report.timeByModelMs['large']).toBeGreaterThan(0);
    expect(report.busyEvictions).toBe(0);
  });
});

describe('referenceQualityMs', () => {
  const reference = (...trace: ReturnType<typeof row>[]) =>
    referenceQualityMs(trace, MODELS, DEFAULT_SELECTION_POLICY);

  it('keeps serving with the old model while the new one loads, where both fit', () => {
    // 16 + 4 + 5 are 25, within the limit: small from second 4, large from second 20, small meanwhile.
    expect(reference(row(0, 5), row(100, 5))).toBeCloseTo(0.5e3 * 16 + 0.9e3 * 80);
  });

  it('does not load what has no time to be worth it', () => {
    expect(reference(row(0, 6), row(10, 12), row(100, 12))).toBeCloseTo(0.5e3 * 96);
  });

  it('holds the last of the chain up to the hard limit, and others only up to their limit', () => {
    expect(reference(row(0, 25), row(100, 25))).toBeCloseTo(0.5e3 * 96);
    expect(reference(row(0, 26), row(100, 26))).toBe(0);
  });
});
