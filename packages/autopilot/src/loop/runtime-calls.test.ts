import { DEFAULT_SELECTION_POLICY, type Resources } from '@mai/memory-ledger';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { CHAT, LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import { createMemoryJournal } from '../journal/journal-port.js';
import { EMPTY_JOURNAL } from '../journal/journal-state.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';

/** A running autopilot in steady state, and the calls that reach the runtime from then on. */
async function openSteady(change: (ports: AutopilotPorts) => Partial<AutopilotPorts> = () => ({})) {
  const world = new FakeWorld([LARGE, SMALL]);
  const calls = { listResidents: 0, estimate: 0, catalog: 0, survey: 0 };
  const journal = createMemoryJournal(EMPTY_JOURNAL);
  const ports = { ...world.ports, ...change(world.ports) };
  const { runtime, estimator, catalog, survey } = ports;
  const pilot = await startPilot(world, {
    ...ports,
    journal,
    runtime: {
      ...runtime,
      listResidents: (options) => {
        calls.listResidents += 1;
        return runtime.listResidents(options);
      },
    },
    // Each estimate is a runtime call, as with LM Studio's guardrails.
    estimator: {
      estimate: (question, options) => {
        calls.estimate += 1;
        return estimator.estimate(question, options);
      },
    },
    catalog: {
      read: (question) => {
        if (question.mayAskRuntime === true) calls.catalog += 1;
        return catalog.read(question);
      },
    },
    survey: {
      survey: (options) => {
        calls.survey += 1;
        return survey.survey(options);
      },
    },
  });
  const total = () => calls.listResidents + calls.estimate + calls.catalog + calls.survey;
  await world.clock.advance(5 * MINUTE);
  const reset = () =>
    Object.assign(calls, { listResidents: 0, estimate: 0, catalog: 0, survey: 0 });
  reset();
  /** Seconds until a round sees an instance; null when no round sees it within half a minute. */
  const secondsUntilSeen = async (instanceIdentifier: string) => {
    for (let second = 1; second <= 30; second += 1) {
      await world.clock.advance(SECOND);
      const { residents = [] } = pilot.autopilot.state.decision?.input ?? {};
      if (residents.some((one) => one.instanceIdentifier === instanceIdentifier)) return second;
    }
    return null;
  };
  return { world, pilot, journal, calls, total, reset, secondsUntilSeen };
}

describe('how often the runtime is asked', () => {
  it('is once in ten seconds in steady state, and only to list residents', async () => {
    const { world, pilot, calls, total } = await openSteady();
    await world.clock.advance(10 * MINUTE);
    expect(calls.listResidents).toBeGreaterThanOrEqual(59);
    expect(total()).toBeLessThanOrEqual(61);
    await pilot.stop();
  });

  it('does not rise where memory and CPU use change a little all the time', async () => {
    const { world, pilot, total } = await openSteady(({ monitor }) => ({
      monitor: {
        ...monitor,
        snapshot: async (options) => {
          const resources = await monitor.snapshot(options);
          const phase = (resources.timestampMs / SECOND) % 4;
          const cpu = { utilizationRatio: 0.3 + phase / 10, othersRatio: 0.3 + phase / 10 - 0.04 };
          return { ...resources, cpu };
        },
      },
    }));
    for (let second = 0; second < 600; second += 1) {
      world.othersBytes = (6 + 0.1 * (second % 4)) * GIB;
      await world.clock.advance(SECOND);
    }
    expect(total()).toBeLessThanOrEqual(61);
    await pilot.stop();
  });

  it('does not include new estimates where other programs take and free memory all the time', async () => {
    const { world, pilot, calls } = await openSteady();
    for (let second = 0; second < 600; second += 5) {
      world.othersBytes = (second % 60 < 30 ? 6 : 6.8) * GIB;
      await world.clock.advance(5 * SECOND);
    }
    expect(calls.estimate).toBe(0);
    await pilot.stop();
  });

  it('includes a new estimate of a model that was refused, once memory has changed', async () => {
    const { world, pilot, calls } = await openSteady(({ estimator }) => ({
      estimator: {
        estimate: async (question, options) => ({
          ...(await estimator.estimate(question, options)),
          guardrails: question.modelKey === 'large' ? ('refuse' as const) : null,
        }),
      },
    }));
    await world.clock.advance(2 * MINUTE);
    expect(calls.estimate).toBe(0);
    world.othersBytes -= GIB;
    await world.clock.advance(10 * SECOND);
    expect(calls.estimate).toBeGreaterThan(0);
    await pilot.stop();
  });

  it.each([
    ['nothing fits', { othersGib: 30, dryRun: false }],
    ['nothing may be loaded', { othersGib: 6, dryRun: true }],
  ])('does not rise where %s', async (_, { othersGib, dryRun }) => {
    const world = new FakeWorld([LARGE]);
    world.othersBytes = othersGib * GIB;
    let listed = 0;
    const { runtime } = world.ports;
    const pilot = await startPilot(world, {
      dryRun,
      runtime: {
        ...runtime,
        listResidents: (options) => {
          listed += 1;
          return runtime.listResidents(options);
        },
      },
    });
    await world.clock.advance(MINUTE);
    listed = 0;
    await world.clock.advance(10 * MINUTE);
    expect(listed).toBeLessThanOrEqual(61);
    await pilot.stop();
  });

  it('does not rise where the runtime is on another machine', async () => {
    const { world, pilot, total } = await openSteady(() => ({ runtimeIsLocal: false }));
    await world.clock.advance(10 * MINUTE);
    expect(total()).toBeLessThanOrEqual(61);
    await pilot.stop();
  });

  it('rises while a switch is due', async () => {
    const { world, pilot, calls } = await openSteady();
    world.setActivity('mai/large', 'generating');
    world.othersBytes = 12 * GIB;
    await world.clock.advance(DEFAULT_SELECTION_POLICY.dwellMs + 60 * SECOND);
    expect(calls.listResidents).toBeGreaterThan(60);
    await pilot.stop();
  });
});

describe('how soon a load by somebody else is noticed', () => {
  it.each([0, 3, 7])(
    'is within 2 s where the load takes 1 GB of RAM (%d s after a call)',
    async (afterS) => {
      const { world, pilot, secondsUntilSeen } = await openSteady();
      await world.clock.advance(afterS * SECOND);
      world.models.set('theirs', { modelKey: 'theirs', bytes: 1e9 });
      world.place('theirs', { instanceIdentifier: 'theirs' });
      expect(await secondsUntilSeen('theirs')).toBeLessThanOrEqual(2);
      await pilot.stop();
    },
  );

  it('is within 2 s where the load takes 1 GB of GPU memory', async () => {
    let takenBytes = 0;
    const withGpu = (resources: Resources): Resources => ({
      ...resources,
      gpus: [
        {
          deviceKey: 'gpu',
          name: null,
          vendor: null,
          memory: 'dedicated',
          totalBytes: 24 * GIB,
          availableBytes: 24 * GIB - takenBytes,
        },
      ],
    });
    const { world, pilot, secondsUntilSeen } = await openSteady(({ monitor }) => ({
      monitor: {
        ...monitor,
        snapshot: async (options) => withGpu(await monitor.snapshot(options)),
      },
    }));
    await world.clock.advance(3 * SECOND);
    takenBytes = 1e9;
    world.models.set('theirs', { modelKey: 'theirs', bytes: 0 });
    world.place('theirs', { instanceIdentifier: 'theirs' });
    expect(await secondsUntilSeen('theirs')).toBeLessThanOrEqual(2);
    await pilot.stop();
  });

  it('is within 2 s of the end of the load where the load takes its memory before it is listed', async () => {
    const { world, pilot, secondsUntilSeen } = await openSteady();
    world.othersBytes += 1e9;
    await world.clock.advance(7 * SECOND);
    world.othersBytes -= 1e9;
    world.models.set('theirs', { modelKey: 'theirs', bytes: 1e9 });
    world.place('theirs', { instanceIdentifier: 'theirs' });
    expect(await secondsUntilSeen('theirs')).toBeLessThanOrEqual(2);
    await pilot.stop();
  });

  it.each([0, 3, 7])(
    'is within 10 s where no memory changes (%d s after a call)',
    async (afterS) => {
      const { world, pilot, secondsUntilSeen } = await openSteady();
      await world.clock.advance(afterS * SECOND);
      world.models.set('theirs', { modelKey: 'theirs', bytes: 0 });
      world.place('theirs', { instanceIdentifier: 'theirs' });
      expect(await secondsUntilSeen('theirs')).toBeLessThanOrEqual(10);
      await pilot.stop();
    },
  );
});

describe('a reason to ask the runtime at once', () => {
  it('is that the engines start to use the CPU', async () => {
    let enginesRatio = 0;
    const { world, pilot, calls, reset } = await openSteady(({ monitor }) => ({
      monitor: {
        ...monitor,
        snapshot: async (options) => ({
          ...(await monitor.snapshot(options)),
          cpu: { utilizationRatio: 0.1 + enginesRatio, othersRatio: 0.1 },
        }),
      },
    }));
    for (const ratio of [0.4, 0]) {
      await world.clock.advance(12 * SECOND);
      reset();
      enginesRatio = ratio;
      await world.clock.advance(SECOND);
      expect(calls.listResidents).toBe(1);
    }
    await pilot.stop();
  });

  it('is an edited configuration, within the two seconds until it is read', async () => {
    const { world, pilot, calls } = await openSteady();
    world.chain = [...world.chain].reverse();
    await world.clock.advance(2 * SECOND);
    expect(calls.listResidents).toBeGreaterThanOrEqual(1);
    await pilot.stop();
  });

  it('is a change of the journal', async () => {
    const { world, pilot, journal, calls } = await openSteady();
    await world.clock.advance(3 * SECOND);
    const before = calls.listResidents;
    await journal.update((state) => ({ ...state, revision: state.revision + 1 }), {});
    await world.clock.advance(SECOND);
    expect(calls.listResidents).toBe(before + 1);
    await pilot.stop();
  });

  it('is a request for a lease, unless a known resident satisfies it', async () => {
    const { world, pilot, calls, reset } = await openSteady();
    await world.clock.advance(3 * SECOND);
    reset();
    const { lease } = await pilot.autopilot.acquire(CHAT);
    await world.clock.advance(0);
    expect([lease?.modelKey, calls.listResidents]).toEqual(['large', 0]);
    lease?.release();
    const acquiring = pilot.autopilot.acquire({ ...CHAT, capabilities: ['vision'] });
    await world.clock.advance(0);
    expect(calls.listResidents).toBe(1);
    expect((await acquiring).lease).toBeNull();
    await pilot.stop();
  });

  it.each([0, 2, 4, 6, 8])(
    'is a decision that will be carried out (%d s later)',
    async (offsetS) => {
      const { world, pilot } = await openSteady();
      await world.clock.advance(offsetS * SECOND);
      const verdict = () => pilot.autopilot.state.decision?.verdict;
      // Use goes a little over the limit, in steps that are too small to count as a change.
      while (verdict()?.reason !== 'DWELLING') {
        world.othersBytes += 0.1 * GIB;
        await world.clock.advance(5 * SECOND);
      }
      while ((verdict()?.waitMs ?? 0) > SECOND) await world.clock.advance(SECOND);
      // A person unloads the model while a program takes the same memory. No local reading changes, and no
      // model fits.
      world.instances.delete('mai/large');
      world.othersBytes += 16 * GIB;
      await world.clock.advance(30 * SECOND);
      expect(pilot.of('switch-started').map(({ reason }) => reason)).toEqual(['NOTHING_RESIDENT']);
      await pilot.stop();
    },
  );
});
