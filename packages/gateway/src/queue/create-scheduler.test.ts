import { createFakeClock, type FakeClock, settle } from '../../test/fakes/fake-clock.js';
import { FakeMachine, type FakeModel, wantsKey } from '../../test/fakes/fake-serving.js';
import { ANY_MODEL } from '../ports/serving-port.js';
import type { ServingRequest } from '../ports/serving-port.js';
import type { WaitProgress } from '../protocols/protocol.js';
import { createScheduler } from './create-scheduler.js';
import type { SchedulerLimits } from './limits.js';
import { type Place, type PlaceRequest, type Scheduler, SchedulingFailure } from './scheduler.js';

const GB = 1_000_000_000;
const A: FakeModel = { modelKey: 'a', sizeBytes: 6 * GB, loadMs: 2000 };
const B: FakeModel = { modelKey: 'b', sizeBytes: 6 * GB, loadMs: 2000 };
const SMALL: FakeModel = {
  modelKey: 'small',
  sizeBytes: GB,
  loadMs: 500,
  tier: 'small',
  capabilities: ['embedding'],
};

interface Bench {
  readonly clock: FakeClock;
  readonly machine: FakeMachine;
  readonly scheduler: Scheduler;
  place(wanted: ServingRequest, options?: Partial<PlaceRequest>): Promise<Place>;
}

function bench(models: readonly FakeModel[], limits: Partial<SchedulerLimits> = {}): Bench {
  const clock = createFakeClock();
  const machine = new FakeMachine(clock, 10 * GB, models);
  const scheduler = createScheduler({ port: machine, clock, limits });
  return {
    clock,
    machine,
    scheduler,
    place: (wanted, options) =>
      scheduler.place({
        wanted,
        promptTokens: () => 0,
        client: 'c',
        priority: 0,
        deadlineMs: 600_000,
        again: false,
        signal: new AbortController().signal,
        onWait: () => undefined,
        ...options,
      }),
  };
}

async function failureOf(promise: Promise<unknown>): Promise<SchedulingFailure['failure']> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof SchedulingFailure) return error.failure;
  throw new Error(`Not refused: ${String(error)}`);
}

/** Waits for a place while time passes. */
async function arrives(clock: FakeClock, place: Promise<Place>, ms = 5000): Promise<Place> {
  await clock.advance(ms);
  return place;
}

describe('lanes', () => {
  test('requests that one resident serves share one lease, which is released after the linger time', async () => {
    const { clock, machine, scheduler, place } = bench([A]);
    const first = await arrives(clock, place(ANY_MODEL), 2000);
    const others = await Promise.all([place(ANY_MODEL), place(wantsKey('a')), place(ANY_MODEL)]);
    expect(machine.acquires).toHaveLength(1);
    expect(scheduler.state().lanes).toEqual([
      { modelKey: 'a', instanceIdentifier: 'a', running: 4, draining: false },
    ]);
    for (const one of [first, ...others]) one.release('done');
    await clock.advance(249);
    expect(machine.leases[0]?.releases).toBe(0);
    await clock.advance(1);
    expect(machine.leases[0]?.releases).toBe(1);
    expect(scheduler.state().lanes).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['ends within the linger time of the one before', 20],
    ['runs while the linger time of the one before ends', 100],
  ])('a lane is kept for the whole linger time after a request that %s', async (_when, runMs) => {
    const { clock, machine, place } = bench([A]);
    (await arrives(clock, place(ANY_MODEL), 2000)).release('done');
    await clock.advance(200);
    const second = await place(ANY_MODEL);
    await clock.advance(runMs);
    second.release('done');
    await clock.advance(249);
    expect(machine.leases[0]?.releases).toBe(0);
    await clock.advance(1);
    expect(machine.leases[0]?.releases).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('a request within the linger time needs no further acquire', async () => {
    const { clock, machine, place } = bench([A]);
    (await arrives(clock, place(ANY_MODEL), 2000)).release('done');
    for (let count = 0; count < 20; count += 1) {
      await clock.advance(200);
      (await place(ANY_MODEL)).release('done');
    }
    expect(machine.acquires).toHaveLength(1);
  });

  test('a place that is released twice counts once', async () => {
    const { clock, scheduler, place } = bench([A]);
    const first = await arrives(clock, place(ANY_MODEL), 2000);
    await place(ANY_MODEL);
    first.release('done');
    first.release('failed');
    expect(scheduler.state().lanes[0]?.running).toBe(1);
  });

  test('a small request runs on a resident that serves it rather than cause a switch', async () => {
    const { clock, machine, place } = bench([B, A]);
    await arrives(clock, place(wantsKey('a')));
    expect((await place(ANY_MODEL)).lease.modelKey).toBe('a');
    expect(machine.loads).toBe(1);
  });

  test('with several lanes, a request runs on the most preferred model of its chain', async () => {
    const { clock, place } = bench([
      { ...A, sizeBytes: GB },
      { ...B, sizeBytes: GB },
    ]);
    await arrives(clock, place(wantsKey('b')));
    await arrives(clock, place(wantsKey('a')));
    expect((await place(ANY_MODEL)).lease.modelKey).toBe('a');
  });

  test('a lease for one request serves one request, and is released at its end', async () => {
    const { clock, machine, place } = bench([A]);
    machine.leasesAreForOneRequest = true;
    const first = await arrives(clock, place({ ...ANY_MODEL, prefixKey: 'one' }), 2000);
    const others = await Promise.all([
      place({ ...ANY_MODEL, prefixKey: 'two', promptTokens: 7 }),
      place(ANY_MODEL),
    ]);
    expect(
      machine.acquires.map(({ prefixKey, promptTokens }) => [prefixKey, promptTokens]),
    ).toEqual([
      ['one', null],
      ['two', 7],
      [null, null],
    ]);
    expect(new Set([first, ...others].map(({ lease }) => lease)).size).toBe(3);
    others[0]?.release('done');
    expect(machine.leases.map(({ releases }) => releases)).toEqual([0, 1, 0]);
    for (const one of [first, ...others]) one.release('done');
    expect(machine.leases.map(({ releases }) => releases)).toEqual([1, 1, 1]);
    expect(clock.pending).toBe(0);
  });

  test('in a fleet, a request that waits for a load delays no request with the same conditions', async () => {
    const { clock, machine, place } = bench([A]);
    const release = await arrives(clock, place(ANY_MODEL));
    release.release('done');
    await clock.advance(1000);
    machine.leasesAreForOneRequest = true;
    machine.hosts = ['own', 'other'];
    const acquire = machine.acquire.bind(machine);
    // The first request is placed at another host, which loads its model for it.
    let loaded = (): void => undefined;
    const loading = new Promise<void>((resolve) => (loaded = resolve));
    machine.acquire = async (request, options) => {
      if (request.prefixKey === 'first') await loading;
      return acquire(request, options);
    };
    machine.emit({ type: 'catalog' });
    let isFirstServed = false;
    const first = place({ ...ANY_MODEL, prefixKey: 'first' });
    void first.then(() => (isFirstServed = true));
    await clock.advance(10);
    const others = Array.from({ length: 20 }, () => place(ANY_MODEL));
    await clock.advance(500);
    const waitedMs = (await Promise.all(others)).map((one) => one.waitedMs);
    expect([Math.max(...waitedMs) <= 500, isFirstServed]).toEqual([true, false]);
    const next = await arrives(clock, place(ANY_MODEL), 10);
    expect(next.waitedMs).toBe(0);
    loaded();
    await arrives(clock, first, 10);
  });

  test('in a fleet, the machine is asked for a few requests with the same conditions at the same time, and for no more', async () => {
    const { clock, machine, place } = bench([{ ...A, loadMs: 60_000 }]);
    machine.leasesAreForOneRequest = true;
    machine.hosts = ['own', 'other'];
    machine.plan = async () => ({
      decision: 'serve',
      modelKey: 'a',
      unloads: [],
      loadBytes: null,
      selection: { decision: 'elsewhere', rejected: [] },
    });
    const places = Array.from({ length: 50 }, () => place(ANY_MODEL));
    await clock.advance(59_000);
    expect([machine.openAcquires, machine.acquires.length, machine.loads]).toEqual([8, 8, 1]);
    await clock.advance(2000);
    expect(await Promise.all(places)).toHaveLength(50);
  });

  test('a lease for one request whose client has gone meanwhile is released at once', async () => {
    const { clock, machine, scheduler, place } = bench([A]);
    machine.leasesAreForOneRequest = true;
    const waits = [place(ANY_MODEL), place(ANY_MODEL)].map((one) => one.catch(() => null));
    await clock.advance(1000);
    await scheduler[Symbol.asyncDispose]();
    await clock.advance(2000);
    expect(await Promise.all(waits)).toEqual([null, null]);
    expect(machine.leases.every(({ releases }) => releases === 1)).toBe(true);
  });

  test('a lost lease ends the lane, and later requests get another one', async () => {
    const { clock, machine, scheduler, place } = bench([A]);
    await arrives(clock, place(ANY_MODEL));
    machine.crash('a');
    expect(scheduler.state().lanes).toEqual([]);
    expect(machine.leases[0]?.releases).toBe(1);
    expect((await arrives(clock, place(ANY_MODEL))).lease).toBe(machine.leases[1]);
  });

  test('a draining lane takes no new request, and its lease ends with its last one', async () => {
    const { clock, machine, scheduler, place } = bench([A]);
    const running = await arrives(clock, place(ANY_MODEL));
    machine.emit({ type: 'draining', instanceIdentifier: 'a' });
    const waiting = place(ANY_MODEL);
    await clock.advance(1000);
    expect(scheduler.state()).toMatchObject({ waiting: 1, oldestWaitMs: 1000 });
    running.release('done');
    await clock.advance(0);
    expect(machine.leases[0]?.releases).toBe(1);
    machine.emit({ type: 'switched' });
    await clock.advance(0);
    expect((await waiting).waitedMs).toBe(1000);
  });

  test('a draining lane that is still leased opens again after the switch', async () => {
    const { clock, machine, place } = bench([A]);
    await arrives(clock, place(ANY_MODEL));
    machine.emit({ type: 'draining', instanceIdentifier: 'a' });
    const waiting = place(ANY_MODEL);
    await settle();
    machine.emit({ type: 'switched' });
    expect((await arrives(clock, waiting, 0)).lease).toBe(machine.leases[0]);
    expect(machine.acquires).toHaveLength(1);
  });

  test('a failed resident gets no further request before the machine has listed its residents again', async () => {
    const { clock, machine, place } = bench([A]);
    const failing = await arrives(clock, place(ANY_MODEL));
    const running = await place(ANY_MODEL);
    failing.release('failed');
    const next = await arrives(clock, place({ ...ANY_MODEL, failed: ['a'] }, { again: true }), 0);
    expect(machine.acquires.at(-1)?.failed).toEqual(['a']);
    expect(next.lease).toBe(machine.leases[1]);
    expect(machine.leases[0]?.releases).toBe(0);
    running.release('done');
    expect(machine.leases[0]?.releases).toBe(1);
    expect((await place(ANY_MODEL)).lease).toBe(machine.leases[1]);
  });
});

test('a resident of another host that has failed one request is asked for by the next one', async () => {
  const { clock, machine, place } = bench([A]);
  machine.leasesAreForOneRequest = true;
  const failing = await arrives(clock, place(ANY_MODEL));
  Object.assign(failing.lease, { peer: { host: 'attic', instanceIdentifier: 'a', tls: null } });
  failing.release('failed');
  const again = await arrives(clock, place({ ...ANY_MODEL, failed: ['a'] }, { again: true }), 0);
  again.release('done');
  (await arrives(clock, place(ANY_MODEL), 0)).release('done');
  expect(machine.acquires.map(({ failed }) => failed)).toEqual([[], ['a'], []]);
});

describe('groups', () => {
  test('waiting requests with the same conditions share one load', async () => {
    const { clock, machine, place } = bench([A]);
    const places = Array.from({ length: 50 }, () => place(ANY_MODEL));
    await clock.advance(2000);
    expect((await Promise.all(places)).map(({ waitedMs }) => waitedMs)).toEqual(
      places.map(() => 2000),
    );
    expect(machine).toMatchObject({ loads: 1 });
    expect(machine.acquires).toHaveLength(1);
  });

  test('a load that unloads nothing in use starts at once', async () => {
    const { clock, machine, place } = bench([A, SMALL]);
    await arrives(clock, place(wantsKey('a')));
    const small = await arrives(clock, place(wantsKey('small')), 500);
    expect(small.waitedMs).toBe(500);
    expect(machine.switches).toBe(0);
  });

  test('a model in use is kept until it was idle for a moment', async () => {
    const { clock, machine, place } = bench([A, B]);
    const running = await arrives(clock, place(wantsKey('a')));
    const waiting = place(wantsKey('b'));
    await clock.advance(1000);
    running.release('done');
    await clock.advance(999);
    expect(machine.loads).toBe(1);
    await clock.advance(2001);
    expect((await waiting).waitedMs).toBe(4000);
  });

  test('a model in use makes room after its turn, and then takes no new request', async () => {
    const { clock, machine, scheduler, place } = bench([A, B], { passOverMs: 3000 });
    const running = await arrives(clock, place(wantsKey('a')));
    const waiting = place(wantsKey('b'));
    await clock.advance(2999);
    const another = await place(wantsKey('a'));
    await clock.advance(1);
    expect(scheduler.state().lanes[0]?.draining).toBe(true);
    const late = place(wantsKey('a'));
    running.release('done');
    another.release('done');
    await clock.advance(2000);
    const placed = await waiting;
    expect(placed.waitedMs).toBe(5000);
    placed.release('done');
    expect((await arrives(clock, late, 3000)).lease.modelKey).toBe('a');
    expect(machine).toMatchObject({ loads: 3, switches: 2 });
  });

  test('a model that was to make room serves again once the requests for the other model have gone', async () => {
    const { clock, scheduler, place } = bench([A, B], { passOverMs: 1000 });
    await arrives(clock, place(wantsKey('a')));
    const gone = new AbortController();
    const waiting = place(wantsKey('b'), { signal: gone.signal });
    await clock.advance(1000);
    expect(scheduler.state().lanes[0]?.draining).toBe(true);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    expect((await place(wantsKey('a'))).waitedMs).toBe(0);
  });

  test('two clients that alternate cause at most a third of the switches of serving in order of arrival', async () => {
    const ours = bench([A, B]);
    const served = { a: 0, b: 0 };
    const client = async (key: 'a' | 'b'): Promise<void> => {
      for (;;) {
        const place = await ours.place(wantsKey(key), { client: key });
        await new Promise<void>((resolve) => ours.clock.setTimer(500, resolve));
        served[key] += 1;
        place.release('done');
      }
    };
    void client('a').catch(() => undefined);
    void client('b').catch(() => undefined);
    await ours.clock.advance(60_000);
    await ours.scheduler[Symbol.asyncDispose]();
    // In order of arrival, each request comes after a load of the other model: 2.5 s for each switch.
    const inOrder = Math.floor(60_000 / 2500);
    expect(ours.machine.switches).toBeLessThanOrEqual(inOrder / 3);
    expect(ours.machine.switches).toBeGreaterThan(3);
    expect(Math.min(served.a, served.b)).toBeGreaterThan(20);
    expect(served.a + served.b).toBeGreaterThan(3 * inOrder);
  });
});

describe('the waiting line', () => {
  test('a client may have 768 waiting requests, and all clients together 1024', async () => {
    const { place } = bench([A]);
    const waiting: Promise<Place>[] = [];
    for (let count = 0; count < 768; count += 1) waiting.push(place(ANY_MODEL, { client: 'busy' }));
    for (let count = 0; count < 256; count += 1)
      waiting.push(place(ANY_MODEL, { client: 'second' }));
    await settle();
    expect(await failureOf(place(ANY_MODEL, { client: 'busy' }))).toMatchObject({
      code: 'queue_full',
      status: 429,
      retryAfterSeconds: 5,
    });
    expect(await failureOf(place(ANY_MODEL, { client: 'another' }))).toMatchObject({
      code: 'queue_full',
      status: 503,
    });
    void Promise.allSettled(waiting);
  });

  test('clients take turns, a higher priority goes first, and a repeated request precedes the other requests of its client', async () => {
    const { clock, machine, place } = bench([A, B], { ageMs: 1_000_000 });
    await arrives(clock, place(wantsKey('a')));
    const positions = new Map<string, number>();
    const wait = (name: string, options: Partial<PlaceRequest>): void => {
      void place(wantsKey('b'), {
        ...options,
        onWait: ({ position }) => positions.set(name, position),
      });
    };
    wait('x1', { client: 'x' });
    wait('x2', { client: 'x' });
    wait('x again', { client: 'x', again: true });
    wait('y1', { client: 'y' });
    wait('urgent', { client: 'x', priority: 1 });
    await settle();
    const order = [...positions].sort(([, one], [, other]) => one - other).map(([name]) => name);
    expect(order).toEqual(['urgent', 'x again', 'y1', 'x1', 'x2']);
    expect(machine.loads).toBe(1);
  });

  test('a request that has waited long precedes a higher priority', async () => {
    const { clock, place } = bench([A, B], { ageMs: 10_000, passOverMs: 100_000 });
    await arrives(clock, place(wantsKey('a')));
    let position = 0;
    void place(wantsKey('b'), { onWait: (progress) => (position = progress.position) });
    await clock.advance(5000);
    void place(wantsKey('b'), { priority: 9 });
    await clock.advance(1000);
    expect(position).toBe(2);
    await clock.advance(5000);
    expect(position).toBe(1);
  });

  test('each waiting client gets its first sign after two seconds, also where others have come at other times', async () => {
    const { clock, place } = bench([{ ...A, loadMs: 60_000 }]);
    const signs: number[] = [];
    for (const gapMs of [0, 700, 550, 30]) {
      await clock.advance(gapMs);
      const told: number[] = [];
      void place(ANY_MODEL, {
        onWait: ({ waitedMs }) => {
          told.push(waitedMs);
          if (waitedMs >= 2000 && told.filter((ms) => ms >= 2000).length === 1)
            signs.push(waitedMs);
        },
      });
    }
    await clock.advance(5000);
    expect(signs).toEqual([2000, 2000, 2000, 2000]);
  });

  test('a waiting client is told its position, the load and the time, at two seconds and at least every ten', async () => {
    const { clock, machine, place } = bench([{ ...A, loadMs: 40_000 }]);
    const told: WaitProgress[] = [];
    const waiting = place(ANY_MODEL, { onWait: (progress) => told.push(progress) });
    await clock.advance(3000);
    machine.emit({ type: 'loading', modelKey: 'a', progressRatio: 0.75 });
    expect(told.at(-1)).toEqual({
      position: 1,
      waitedMs: 3000,
      loading: { modelKey: 'a', progressRatio: 0.75 },
    });
    expect(told.some(({ waitedMs }) => waitedMs === 2000)).toBe(true);
    await arrives(clock, waiting, 40_000);
    const gaps = told
      .slice(1)
      .map(({ waitedMs }, index) => waitedMs - (told[index]?.waitedMs ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
  });

  test('a request whose client has gone is removed at once, and the acquire with its last request', async () => {
    const { clock, machine, scheduler, place } = bench([{ ...A, loadMs: 60_000 }]);
    const [one, other] = [new AbortController(), new AbortController()];
    const first = place(ANY_MODEL, { signal: one.signal });
    const second = place(ANY_MODEL, { signal: other.signal });
    await clock.advance(100);
    one.abort(new Error('first gone'));
    await expect(first).rejects.toThrow('first gone');
    await settle();
    expect(machine.openAcquires).toBe(1);
    other.abort(new Error('second gone'));
    await expect(second).rejects.toThrow('second gone');
    await settle();
    expect(machine.openAcquires).toBe(0);
    expect(scheduler.state().waiting).toBe(0);
  });

  test.each([
    ['goes on where it comes back', 59_000, 1],
    ['is cancelled again where it comes back after more than a minute', 61_000, 0],
  ])('a load whose client leaves a second time %s', async (_name, afterMs, open) => {
    const { clock, machine, scheduler, place } = bench([{ ...A, loadMs: 600_000 }]);
    const leaveAfter = async (ms: number): Promise<void> => {
      const leave = new AbortController();
      const left = expect(place(ANY_MODEL, { signal: leave.signal })).rejects.toThrow('gone');
      await clock.advance(ms);
      expect(machine.openAcquires).toBe(1);
      leave.abort(new Error('gone'));
      await left;
      await settle();
    };
    await leaveAfter(1000);
    expect(machine.openAcquires).toBe(0);
    await clock.advance(afterMs);
    await leaveAfter(1000);
    expect(machine.openAcquires).toBe(open);
    expect(scheduler.state().waiting).toBe(0);
    // After two minutes nobody has come back for the load, so it is given up.
    await clock.advance(120_000);
    expect(machine.openAcquires).toBe(0);
  });

  test('a request whose client has gone before it asks gets the reason', async () => {
    const { place } = bench([A]);
    await expect(
      place(ANY_MODEL, { signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
  });
});

describe('refusals', () => {
  test('a request that would wait past its deadline is refused at once, and its model is loaded nevertheless', async () => {
    const { clock, machine, scheduler, place } = bench([A, B], { passOverMs: 1000 });
    await arrives(clock, place(wantsKey('a')));
    // 1 s for the turn of a, and 2 s for the load, which takes as long as the only load that was measured.
    const failure = await failureOf(place(wantsKey('b'), { deadlineMs: 2999 }));
    expect(failure).toMatchObject({ code: 'model_loading', status: 503, retryAfterSeconds: 3 });
    expect(clock.monotonicMs()).toBe(5000);
    expect(scheduler.state().lanes[0]).toMatchObject({ modelKey: 'a', draining: false });
    await clock.advance(1000);
    expect(scheduler.state().lanes[0]?.draining).toBe(true);
    expect(machine.loads).toBe(1);
  });

  test('a client that comes back after model_loading finds the model loaded', async () => {
    const { clock, machine, place } = bench([A]);
    // 10 s and 6 GB at 1 GB/s.
    const failure = await failureOf(place(ANY_MODEL, { deadlineMs: 15_999 }));
    expect(failure).toMatchObject({ code: 'model_loading', retryAfterSeconds: 16 });
    await clock.advance(16_000);
    expect((await arrives(clock, place(ANY_MODEL), 0)).waitedMs).toBe(0);
    expect(machine.loads).toBe(1);
  });

  test('Retry-After is at most 59 seconds', async () => {
    const { place } = bench([{ ...A, sizeBytes: 9 * GB, loadMs: 1 }], { passOverMs: 0 });
    const failure = await failureOf(place(ANY_MODEL, { deadlineMs: 1 }));
    expect(failure.retryAfterSeconds).toBe(19);
    const huge = bench([{ ...A, sizeBytes: 10 * GB }]);
    huge.machine.plan = async () => ({
      decision: 'load',
      modelKey: 'a',
      unloads: [],
      loadBytes: 500 * GB,
      selection: { decision: 'switch', rejected: [] },
    });
    expect((await failureOf(huge.place(ANY_MODEL, { deadlineMs: 1 }))).retryAfterSeconds).toBe(59);
  });

  test('a load that takes longer than expected ends the wait at the deadline', async () => {
    const { clock, place } = bench([{ ...A, loadMs: 100_000 }]);
    const refused = failureOf(place(ANY_MODEL, { deadlineMs: 30_000 }));
    await clock.advance(29_999);
    await clock.advance(1);
    expect(await refused).toMatchObject({ code: 'model_loading', status: 503 });
  });

  test('a load that nobody comes back for is given up after a minute', async () => {
    const { clock, machine, place } = bench([{ ...A, loadMs: 1_000_000 }]);
    const refused = failureOf(place(ANY_MODEL, { deadlineMs: 20_000 }));
    await clock.advance(20_000);
    await refused;
    await clock.advance(59_000);
    expect(machine.openAcquires).toBe(1);
    await clock.advance(1000);
    expect(machine.openAcquires).toBe(0);
    expect(clock.pending).toBe(1);
  });

  test('nothing fits: the failure names each model and its reason', async () => {
    const { place } = bench([{ ...A, sizeBytes: 20 * GB }, SMALL]);
    const failure = await failureOf(place({ ...ANY_MODEL, capabilities: ['chat'] }));
    expect(failure).toMatchObject({ code: 'nothing_fits', status: 503 });
    expect(failure.message).toContain('a (INSUFFICIENT_RAM), small (MISSING_CAPABILITY)');
  });

  test.each([
    ['MODEL_NOT_FOUND', 'model_not_found', 404],
    ['SERVER_OFF', 'upstream_unreachable', 503],
    ['AUTOPILOT_LOST', 'upstream_unreachable', 503],
    ['UNREACHABLE', 'upstream_unreachable', 503],
  ] as const)('%s of the machine is %s', async (code, told, status) => {
    const { machine, place } = bench([A]);
    machine.failure = Object.assign(new Error('No luck'), { code });
    const failure = await failureOf(place(ANY_MODEL));
    expect(failure).toMatchObject({ code: told, status });
    expect(failure.message).toContain('No luck.');
  });

  test('a machine out of reach fails a request that needs its catalog', async () => {
    const { machine, place } = bench([A]);
    machine.catalog = async () => Promise.reject(new Error('No connection'));
    expect(await failureOf(place(ANY_MODEL))).toMatchObject({ code: 'upstream_unreachable' });
  });
});

describe('drain', () => {
  test('drain refuses new requests, serves waiting ones, and leaves no timer, listener or lease', async () => {
    const { clock, machine, scheduler, place } = bench([A]);
    const waiting = place(ANY_MODEL);
    await settle();
    let isDrained = false;
    const drained = scheduler.drain().then(() => (isDrained = true));
    expect(await failureOf(place(ANY_MODEL))).toMatchObject({ code: 'stopping', status: 503 });
    const placed = await arrives(clock, waiting, 2000);
    await clock.advance(10_000);
    expect(isDrained).toBe(false);
    placed.release('done');
    await drained;
    expect(machine.leases.map(({ releases }) => releases)).toEqual([1]);
    expect(machine.listeners.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('disposal refuses waiting requests and releases every lease, also one that is given later', async () => {
    const { clock, machine, scheduler, place } = bench([A, B]);
    await arrives(clock, place(wantsKey('a')));
    const waiting = failureOf(place(wantsKey('b')));
    await settle();
    await scheduler[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: 'stopping' });
    await clock.advance(60_000);
    expect(machine.leases.every(({ releases }) => releases === 1)).toBe(true);
    expect(machine.listeners.size).toBe(0);
    expect(clock.pending).toBe(0);
    await scheduler.drain();
  });
});

describe('a changing machine', () => {
  test('a request that failed elsewhere is still served while the scheduler drains', async () => {
    const { clock, scheduler, place } = bench([A]);
    const running = await arrives(clock, place(ANY_MODEL));
    const failing = await place(ANY_MODEL);
    const drained = scheduler.drain();
    failing.release('failed');
    const again = await arrives(clock, place({ ...ANY_MODEL, failed: ['a'] }, { again: true }), 0);
    running.release('done');
    again.release('done');
    await drained;
  });

  test('no step is taken by a catalog from before a change', async () => {
    const { clock, machine, place } = bench([A, B], { passOverMs: 60_000 });
    await arrives(clock, place(wantsKey('a')));
    const now = await machine.catalog();
    const residents = [
      { instanceIdentifier: 'b', contextLengthTokens: 8192, foreign: false, host: null },
    ];
    const before = {
      ...now,
      models: now.models.map((one) => (one.modelKey === 'b' ? { ...one, residents } : one)),
    };
    machine.catalog = async () => before;
    void place(wantsKey('b'));
    machine.catalog = async () => now;
    machine.emit({ type: 'catalog' });
    await clock.advance(1000);
    expect(machine.acquires.map(({ modelKey }) => modelKey)).toEqual(['a']);
  });
});
