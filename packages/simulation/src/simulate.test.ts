import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { GIB, model, row } from '../test/simulation.js';
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
  it('loads the best model once on a quiet machine, and keeps it', async () => {
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

  it.each(['mai', 'static'] as const)(
    'ends at once when the signal fires, with %s',
    async (policy) => {
      const stop = new AbortController();
      const reason = new Error('enough');
      // A century with the highest rate of requests that a trace may have.
      const requests = { ratePerMinute: 60_000, meanSeconds: 1 };
      const trace = [{ ...row(0, 6), requests }, row(100 * 365 * 86_400, 6)];
      setImmediate(() => stop.abort(reason));
      await expect(run({ trace, policy, signal: stop.signal })).rejects.toBe(reason);
    },
  );

  it('reports exactly these figures', async () => {
    const report = await run({ trace: [row(0, 6), row(20, 6)] });
    expect(Object.keys(report).sort()).toEqual(
      [
        'durationMs',
        'switches',
        'emergencySwitches',
        'selfCausedSwitches',
        'switchesPerHour',
        'flaps',
        'overloadedMs',
        'avoidableOverloadedMs',
        'outOfMemoryEvents',
        'avoidableOutOfMemoryEvents',
        'longestAvoidableOutOfMemoryMs',
        'busyEvictions',
        'busyEvictionsWithMemoryLeft',
        'droppedRequests',
        'noModelMs',
        'qualityMs',
        'referenceQualityMs',
        'qualityRatio',
        'timeByModelMs',
        'runtimeQueries',
        'decisions',
      ].sort(),
    );
  });

  it('steps down and up again without a flap or an overload', async () => {
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

  it('never evicts a pinned model', async () => {
    const trace = [row(0, 6), row(300, 12), row(600, 6), row(700, 6)];
    const report = await run({ trace, pinned: ['large'] });
    expect(report).toMatchObject({ switches: 0, timeByModelMs: { large: 684_000 } });
  });

  it('waits for running requests until the given deadline, and then puts the switch off', async () => {
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

  it('counts the time of overload, and the part of this time that was avoidable', async () => {
    // 16 GiB of a model beside 14 are 30, over the hard limit from second 300 on.
    const report = await run({
      policy: 'static',
      trace: [row(0, 6), row(300, 14), row(400, 6), row(500, 6)],
    });
    expect(report.overloadedMs).toBe(100_000);
    expect(report.avoidableOverloadedMs).toBe(99_000);
    expect(report.outOfMemoryEvents).toBe(0);
  });

  it('counts avoidable and unavoidable out-of-memory events apart', async () => {
    const slow = await run({
      policy: 'static',
      trace: [row(0, 6), row(300, 14), row(301, 17), row(310, 6), row(320, 6)],
    });
    expect(slow).toMatchObject({ outOfMemoryEvents: 1, avoidableOutOfMemoryEvents: 1 });
    // No policy can react within the first observation interval.
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

  it('measures the longest period in which memory had run out although the others alone did not fill the pool', async () => {
    const report = await run({
      policy: 'static',
      trace: [
        row(0, 6),
        row(300, 17),
        row(304, 6),
        row(400, 18),
        // From here on others alone need more memory than there is.
        row(407, 33),
        row(420, 20),
        row(426, 6),
        row(500, 6),
      ],
    });
    expect(report.longestAvoidableOutOfMemoryMs).toBe(7000);
  });

  it.each([
    ['out of memory', 17, 0],
    ['only over the hard limit', 15, 1],
  ])(
    'counts the eviction of a busy model while a pool is %s',
    async (_, othersGib, withMemoryLeft) => {
      const requests = { ratePerMinute: 600, meanSeconds: 100_000 };
      const busy = row(20, 6, { requests });
      const trace = [row(0, 6), busy, row(300, othersGib), row(600, othersGib)];
      const report = await run({ trace });
      expect(report).toMatchObject({
        busyEvictions: 1,
        busyEvictionsWithMemoryLeft: withMemoryLeft,
      });
      expect(report.droppedRequests).toBeGreaterThanOrEqual(4);
    },
  );

  it('adds no quality for a model that has been above the limit for longer than the dwell', async () => {
    const report = await run({ policy: 'static', trace: [row(0, 6), row(300, 12), row(400, 12)] });
    expect(report.qualityMs).toBeCloseTo(0.9 * (284_000 + DEFAULT_SELECTION_POLICY.dwellMs));
  });

  it('counts requests that find no model ready, and never evicts a busy model below the hard limit', async () => {
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

  it('tries the cheaper load options of a model before the next model', async () => {
    const cheaper = [{ footprintBytes: 12 * GIB, vramBytes: 0, quality: 0.85 }];
    const report = await run({
      models: [model('large', 16, 0.9, 16, cheaper), model('small', 4, 0.5, 4)],
      trace: [row(0, 6), row(300, 12), row(900, 12)],
    });
    expect(Object.keys(report.timeByModelMs)).toEqual(['large']);
    expect(report.switches).toBe(1);
  });

  it('keeps most of the quality through a failed load, a restart of LM Studio and a model loaded by hand', async () => {
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
  ] as const)(
    'with the policy %s, evicts %i models that a person loaded',
    async (foreign, evictions) => {
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
      // Together they need 34 GiB, so either the person's model or the large one is unloaded.
      expect((timeByModelMs['large'] ?? 0) > 3_000_000).toBe(evictions > 0);
    },
  );

  it('counts the requests of all models as dropped when LM Studio goes down', async () => {
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

  it('charges the GPU memory of a model that a person loads to RAM where the machine has no GPU', async () => {
    const load = {
      type: 'foreignLoad' as const,
      instanceIdentifier: 'by-hand',
      modelKey: 'x/y',
      ramBytes: 0,
      vramBytes: 8 * GIB,
    };
    const trace = [row(0, 6), row(300, 6, { events: [load] }), row(400, 6)];
    // 16 GiB of a model, 6 of others and 8 loaded by hand are 30, over the hard limit.
    expect((await run({ policy: 'static', trace })).overloadedMs).toBe(100_000);
  });

  it('compares a unified machine with its own hard limit', async () => {
    const gpus = [{ totalBytes: 24 * GIB, othersBytes: 0, unified: true }];
    const trace = [row(0, 6, { gpus }), row(300, 12, { gpus }), row(400, 12, { gpus })];
    // 12 GiB of others and 16 of the model are 28 of 32: above the hard limit of unified memory (85 %), below that of RAM (92 %).
    expect((await run({ policy: 'static', trace })).overloadedMs).toBe(100_000);
    const without = trace.map((one) => ({ ...one, gpus: [] }));
    expect((await run({ policy: 'static', trace: without })).overloadedMs).toBe(0);
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

    it('splits a model over both GPUs in proportion to their size', async () => {
      const serving: unknown[] = [];
      await run({
        models,
        trace: [row(0, 6, gpus(1, 1)), row(100, 6, gpus(1, 1))],
        onServing: (one) => serving.push(one),
      });
      expect(serving).toEqual([
        { modelKey: 'large', loadOptionIndex: 0, ramBytes: GIB, vramBytes: [10 * GIB, 5 * GIB] },
      ]);
    });

    it.each([
      ['first', gpus(15, 1)],
      ['second', gpus(1, 7)],
    ])('steps down when the %s GPU is above its hard limit', async (_, change) => {
      const report = await run({
        models,
        trace: [row(0, 6, gpus(1, 1)), row(300, 6, change), row(600, 6, change)],
      });
      expect(report.timeByModelMs['small']).toBe(297_000);
      expect(report).toMatchObject({ emergencySwitches: 1, avoidableOverloadedMs: 0 });
    });

    it('counts a model that a person loads on the second GPU', async () => {
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
      // Small serves from second 3, large from second 18, and small again just before second 300.
      expect(report.referenceQualityMs).toBeCloseTo(0.5 * 15e3 + 0.9 * 282e3 + 0.5 * 100e3);
    });
  });

  it('unloads a replaced model as soon as it is idle, even if it was busy during the switch', async () => {
    const requests = { ratePerMinute: 8, meanSeconds: 60 };
    const serving: (string | null)[] = [];
    const report = await run({
      trace: [row(0, 12), row(300, 4, { requests }), row(500, 4), row(4000, 4)],
      onServing: (one) => serving.push(one?.modelKey ?? null),
    });
    expect(serving.at(-1)).toBe('large');
    // Both models would fit within the limit here, so only the end of the drain unloads the replaced one.
    expect(report.decisions.at(-1)?.outcome).toBe('switched');
    expect(report.busyEvictions).toBe(0);
  });

  it('gives the same report for the same seed', async () => {
    const requests = { ratePerMinute: 20, meanSeconds: 5 };
    const trace = [row(0, 6, { requests }), row(300, 13, { requests }), row(900, 6)];
    expect(await run({ trace, seed: 3 })).toEqual(await run({ trace, seed: 3 }));
  });

  it.each(['static', 'naive', 'lru-evict', 'jit-last'] as const)(
    '%s serves and never evicts a busy model',
    async (policy) => {
      const requests = { ratePerMinute: 4, meanSeconds: 4 };
      const trace = [row(0, 6, { requests }), row(300, 13, { requests }), row(900, 6)];
      const report = await run({ trace, policy });
      expect(report.timeByModelMs['large']).toBeGreaterThan(0);
      expect(report.busyEvictions).toBe(0);
    },
  );
});
