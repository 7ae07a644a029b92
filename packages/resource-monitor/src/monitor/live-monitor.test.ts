import { assembleMachine } from '../../test/assemble-machine.js';
import { flush } from '../../test/fake-clock.js';
import { memInfo } from '../../test/machines/machine.js';
import type { Machine } from '../../test/machines/machine.js';
import type { ResourceSnapshot } from '../snapshot.js';

const TOTAL_KB = 16 * 1024 * 1024;
const KIB = 1024;

const withAvailable = (availableKb: number): string =>
  memInfo({ MemTotal: TOTAL_KB, MemAvailable: availableKb, SwapTotal: 0, SwapFree: 0 });

const MACHINE: Machine = {
  name: 'sixteen gibibytes',
  sources: [],
  synthetic: true,
  platform: 'linux',
  files: {
    '/proc/meminfo': withAvailable(TOTAL_KB / 2),
    '/proc/stat': 'cpu  100 0 100 800 0 0 0 0 0 0\n',
    '/proc/loadavg': '0.50 0.40 0.30 1/100 1\n',
  },
};

function openMachine() {
  const machine = assembleMachine(MACHINE);
  const setAvailable = (availableKb: number): void => {
    machine.files.contents.set('/proc/meminfo', withAvailable(availableKb));
  };
  return { ...machine, setAvailable };
}

describe('a snapshot', () => {
  it('is shared by concurrent callers', async () => {
    const { monitor } = openMachine();
    const [one, other] = await Promise.all([monitor.snapshot(), monitor.snapshot()]);
    expect(other).toBe(one);
    expect(await monitor.snapshot()).not.toBe(one);
    await monitor[Symbol.asyncDispose]();
  });

  it('rejects with the reason of the signal, for that caller only', async () => {
    const { monitor } = openMachine();
    const reason = new Error('stop');
    await expect(monitor.snapshot({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect((await monitor.snapshot()).ram.totalBytes).toBe(TOTAL_KB * KIB);
    await monitor[Symbol.asyncDispose]();
    await expect(monitor.snapshot()).rejects.toMatchObject({ code: 'PROBE_FAILED' });
  });

  it('uses the next reader if a reader fails, and names the failed reader', async () => {
    const { monitor, files } = openMachine();
    files.contents.delete('/proc/meminfo');
    const snapshot = await monitor.snapshot();
    // Node's figure replaces the missing one.
    expect(snapshot.sources.find(({ figure }) => figure === 'ram')).toMatchObject({
      passedOver: expect.arrayContaining([expect.objectContaining({ source: '/proc/meminfo' })]),
    });
    files.contents.set('/proc/meminfo', withAvailable(1024));
    expect((await monitor.snapshot()).ram.availableBytes).toBe(1024 * KIB);
    await monitor[Symbol.asyncDispose]();
  });
});

describe('readRam', () => {
  it('reads RAM again and adds nothing to the history', async () => {
    const { monitor, setAvailable } = openMachine();
    const { ram } = await monitor.snapshot();
    expect(await monitor.readRam?.()).toEqual(ram);
    setAvailable(4096);
    expect((await monitor.readRam?.())?.availableBytes).toBe(4096 * KIB);
    const recorded = monitor.history({ series: 'ram' });
    expect(recorded.reduce((sum, { count }) => sum + count, 0)).toBe(1);
    await monitor[Symbol.asyncDispose]();
    await expect(monitor.readRam?.()).rejects.toMatchObject({ code: 'PROBE_FAILED' });
  });

  it('is null if reading RAM starts a program', () => {
    expect(assembleMachine({ ...MACHINE, platform: 'darwin' }).monitor.readRam).toBeNull();
  });
});

describe('watch', () => {
  /** Collects samples until `stop` is called. */
  function collect(samples: AsyncIterable<ResourceSnapshot>, seen: ResourceSnapshot[]) {
    return (async () => {
      for await (const sample of samples) seen.push(sample);
    })();
  }

  it('samples at the requested interval, and stops when nobody watches', async () => {
    const { monitor, clock } = openMachine();
    const controller = new AbortController();
    const seen: ResourceSnapshot[] = [];
    const watching = collect(monitor.watch({ intervalMs: 1000, signal: controller.signal }), seen);
    await clock.advance(10_000);
    expect(seen.length).toBe(11);
    controller.abort(new Error('enough'));
    await expect(watching).rejects.toThrow('enough');
    await clock.advance(10_000);
    expect(seen.length).toBe(11);
    expect(clock.sleeping).toBe(0);
    await monitor[Symbol.asyncDispose]();
  });

  it('gives a slow consumer the newest sample, without a queue', async () => {
    const { monitor, clock, setAvailable } = openMachine();
    const samples = monitor.watch({ intervalMs: 1000 });
    const first = await samples.next();
    expect(first.done).toBe(false);
    for (let availableKb = 5000; availableKb < 5010; availableKb += 1) {
      setAvailable(availableKb);
      await clock.advance(1000);
    }
    const next = await samples.next();
    expect(next).toMatchObject({ value: { ram: { availableBytes: 5009 * KIB } } });
    await samples.return?.();
    await monitor[Symbol.asyncDispose]();
  });

  it('samples rarely while nothing changes, every second during changes, and more often near a limit or during a load', async () => {
    const { monitor, clock, setAvailable } = openMachine();
    const controller = new AbortController();
    const seen: ResourceSnapshot[] = [];
    const watching = collect(monitor.watch({ signal: controller.signal }), seen);
    const samplesIn = async (ms: number, change: (step: number) => void): Promise<number> => {
      const before = seen.length;
      for (let elapsed = 0; elapsed < ms; elapsed += 250) {
        change(elapsed / 250);
        await clock.advance(250);
      }
      return seen.length - before;
    };
    await samplesIn(30_000, () => undefined);
    const quiet = await samplesIn(30_000, () => undefined);
    expect(quiet).toBeLessThanOrEqual(7);
    const moving = await samplesIn(30_000, (step) => setAvailable(TOTAL_KB / 2 - step * 40_000));
    expect(moving).toBeGreaterThanOrEqual(24);
    const nearLimit = await samplesIn(30_000, (step) =>
      setAvailable(TOTAL_KB * ((step >> 1) % 2 === 0 ? 0.1 : 0.08)),
    );
    expect(nearLimit).toBeGreaterThanOrEqual(45);
    monitor.inform({ loading: true });
    expect(await samplesIn(5000, () => undefined)).toBeGreaterThanOrEqual(19);
    monitor.inform({ loading: false });
    controller.abort();
    await watching.catch(() => undefined);
    await monitor[Symbol.asyncDispose]();
  });
});

describe('settled', () => {
  it('waits until memory has stopped moving', async () => {
    const { monitor, clock, setAvailable } = openMachine();
    let done = false;
    const settled = monitor.settled().finally(() => {
      done = true;
    });
    for (let step = 1; step <= 8; step += 1) {
      setAvailable(TOTAL_KB / 2 - step * 200_000);
      await clock.advance(250);
    }
    expect(done).toBe(false);
    await clock.advance(3000);
    const snapshot = await settled;
    expect(snapshot).toMatchObject({ settled: true, moving: [] });
    expect(snapshot.ram.availableBytes).toBe((TOTAL_KB / 2 - 8 * 200_000) * KIB);
    await monitor[Symbol.asyncDispose]();
  });

  it('names the pools whose memory was still changing at the deadline', async () => {
    const { monitor, clock, setAvailable } = openMachine();
    const settled = monitor.settled();
    for (let step = 0; step < 400; step += 1) {
      setAvailable(TOTAL_KB / 2 - (step % 2) * 2_000_000);
      await clock.advance(250);
    }
    expect(await settled).toMatchObject({ settled: false, moving: ['ram'] });
    await monitor[Symbol.asyncDispose]();
  });
});

it('an hour of samples opens no more files, starts no program and leaves nothing running', async () => {
  const { monitor, clock, files, executor, setAvailable } = openMachine();
  const controller = new AbortController();
  let samples = 0;
  const watching = (async () => {
    for await (const sample of monitor.watch({ intervalMs: 1000, signal: controller.signal })) {
      samples += 1;
      setAvailable(TOTAL_KB / 2 - (samples % 600) * 1000);
      expect(sample.ram.totalBytes).toBe(TOTAL_KB * KIB);
    }
  })();
  await clock.advance(60_000);
  const open = files.open;
  const buckets = () => monitor.history({ series: 'ram' }).length;
  await clock.advance(3_540_000);
  expect(samples).toBeGreaterThan(3550);
  expect(files.open).toBe(open);
  expect(executor.running.size).toBe(0);
  expect(buckets()).toBeLessThan(2000);
  controller.abort();
  await watching.catch(() => undefined);
  await monitor[Symbol.asyncDispose]();
  await flush();
  expect(files.open).toBe(0);
  expect(clock.sleeping).toBe(0);
}, 60_000);
