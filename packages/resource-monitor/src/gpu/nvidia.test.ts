import { createFakeClock, flush } from '../../test/fake-clock.js';
import { createFakeExecutor } from '../../test/fake-executor.js';
import type { FakeNvidiaMode } from '../../test/real-programs.js';
import { createFastClock, eventually, fakeNvidiaSmi } from '../../test/real-programs.js';
import type { GpuReader, GpuReading } from '../reading/figures.js';
import type { Reading } from '../reading/reader.js';
import { nvidiaGpus } from './nvidia.js';

const MIB = 1024 ** 2;
const SPEED = 20;
const continuing = { startedMs: 0, continuing: true };
const once = { startedMs: 0, continuing: false };

type GpuList = Reading<readonly GpuReading[]>;
const first = (list: GpuList): GpuReading | null =>
  'value' in list ? (list.value[0] ?? null) : null;
const reasonOf = (list: GpuList): string | null =>
  'reason' in list ? list.reason : (list.value[0]?.reasons[0] ?? null);

describe('nvidia-smi as a real process', () => {
  let cleanUp: (() => Promise<void>) | null = null;
  afterEach(async () => cleanUp?.());

  const setUp = (mode: FakeNvidiaMode, firstAnswerMs = 60_000, speed = SPEED) => {
    const clock = createFastClock(speed);
    const { executor, started, clean } = fakeNvidiaSmi(mode, clock, speed);
    const reader: GpuReader = nvidiaGpus({
      executor,
      clock,
      platform: 'linux',
      isAsleep: () => false,
      firstAnswerMs,
    });
    cleanUp = async () => {
      await reader.stop?.();
      clean();
    };
    const read = (): Promise<GpuList> => Promise.resolve(reader.read(continuing));
    return { reader, read, started };
  };

  it('delays only the first reading', async () => {
    const { read, started } = setUp('fine');
    expect(first(await read())).toMatchObject({
      totalBytes: 24576 * MIB,
      availableBytes: 23900 * MIB,
    });
    expect(first(await read())?.usedBytes).toBe(300 * MIB);
    expect(started()).toBe(1);
  });

  it('lists two equal GPUs as two', async () => {
    const list = await setUp('two').read();
    expect(
      'value' in list && list.value.map(({ deviceKey, usedBytes }) => [deviceKey, usedBytes]),
    ).toEqual([
      ['GPU-aa', 300 * MIB],
      ['GPU-bb', 0],
    ]);
  });

  it('distinguishes an idle GPU from an unmeasured GPU', async () => {
    expect(first(await setUp('zero').read())).toMatchObject({ usedBytes: 0, utilizationRatio: 0 });
    await cleanUp?.();
    expect(first(await setUp('unknown').read())).toMatchObject({
      usedBytes: null,
      utilizationRatio: null,
    });
  });

  it('adds the processes that hold memory in later readings', async () => {
    // The program has 5 s on this clock for each list. On a busy machine, a process needs over 250 ms to start.
    const { read } = setUp('fine', 60_000, 4);
    const list = await eventually(read, (answer) => first(answer)?.processes != null);
    expect(first(list)?.processes).toEqual([
      { processId: 4321, bytes: 254 * MIB },
      { processId: 4322, bytes: 1024 * MIB },
    ]);
  });

  it("reports the driver's error message after an exit", async () => {
    const { read } = setUp('dies');
    const list = await eventually(read, (answer) => /NVML/.test(reasonOf(answer) ?? ''));
    expect(reasonOf(list)).toMatch(/Driver\/library version mismatch/);
  });

  it('produces no figure from lines in an unknown format', async () => {
    const { read } = setUp('unknown lines', 100);
    const list = await eventually(read, (answer) => /no figures/.test(reasonOf(answer) ?? ''));
    expect(first(list)).toBeNull();
  });

  it('delays no reading while it hangs, and stop() kills it although it ignores SIGTERM', async () => {
    const { reader, read } = setUp('hangs', 100);
    expect(reasonOf(await read())).toBe('no answer within 100 ms yet');
    const list = await eventually(read, (answer) =>
      /printed no figures/.test(reasonOf(answer) ?? ''),
    );
    expect(first(list)).toBeNull();
    await reader.stop?.();
  });

  it.each(['falls silent once', 'dies for a while'] as const)(
    'that %s keeps its GPU listed, with null figures until the restart',
    async (mode) => {
      const { read, started } = setUp(mode);
      expect(first(await read())?.availableBytes).toBe(23900 * MIB);
      const lost = await eventually(read, (answer) => first(answer)?.availableBytes === null);
      expect(first(lost)).toMatchObject({
        totalBytes: 24576 * MIB,
        usedBytes: null,
        utilizationRatio: null,
      });
      expect(reasonOf(lost)).toMatch(/nvidia-smi/);
      await eventually(read, (answer) => first(answer)?.availableBytes === 23900 * MIB);
      expect(started()).toBeGreaterThanOrEqual(2);
    },
  );
});

describe('the nvidia reader', () => {
  const setUp = (printed: string) => {
    const clock = createFakeClock();
    const executor = createFakeExecutor([{ program: 'nvidia-smi', stdout: printed }]);
    const reader = nvidiaGpus({
      executor,
      clock,
      platform: 'linux',
      isAsleep: () => false,
      firstAnswerMs: 2500,
    });
    return { clock, executor, reader };
  };
  const LINE = '1, GPU-1f, 00000000:01:00.0, X, 100, 1, 99, 0';

  const MISSING = { reason: 'not found on the PATH', cause: 'not-installed' };

  it('starts nothing if nvidia-smi is missing, and searches again after a minute', async () => {
    const clock = createFakeClock();
    const commands = createFakeExecutor([]);
    let there = false;
    const executor = { ...commands, find: () => (there ? '/bin/nvidia-smi' : null) };
    const reader = nvidiaGpus({
      executor,
      clock,
      platform: 'linux',
      isAsleep: () => false,
      firstAnswerMs: 10,
    });
    expect(await reader.read(once)).toEqual(MISSING);
    there = true;
    expect(await reader.read(once)).toEqual(MISSING);
    expect(commands.started).toHaveLength(0);
    clock.skip(60_001);
    void reader.read(once);
    await flush();
    expect(commands.started).toHaveLength(1);
  });

  it('waits for nvidia-smi again after ending it for lack of use', async () => {
    const { clock, executor, reader } = setUp(LINE);
    await reader.read(once);
    for (let second = 0; second < 40; second += 1) {
      for (const stream of executor.running) stream.print(LINE);
      await clock.advance(1000);
    }
    expect(executor.running.size).toBe(0);
    expect(await reader.read(once)).toMatchObject({ value: [{ usedBytes: MIB }] });
  });

  it('waits once per start, so that a hanging nvidia-smi does not delay every sample', async () => {
    const clock = createFakeClock();
    const executor = { ...createFakeExecutor([]), find: () => '/bin/nvidia-smi' };
    const reader = nvidiaGpus({
      executor,
      clock,
      platform: 'linux',
      isAsleep: () => false,
      firstAnswerMs: 2500,
    });
    const first = reader.read(once);
    await clock.advance(2500);
    expect(await first).toMatchObject({ reason: 'no answer within 2500 ms yet' });
    const startedMs = clock.monotonicMs();
    expect(await reader.read(once)).toMatchObject({ reason: 'no answer within 2500 ms yet' });
    expect(clock.monotonicMs()).toBe(startedMs);
    await reader.stop?.();
  });

  it('lists processes in a series of samples, not for a single snapshot', async () => {
    const { executor, reader } = setUp(LINE);
    await reader.read(once);
    expect(executor.started).toHaveLength(1);
    await reader.read(continuing);
    expect(executor.started[1]).toContain('--query-compute-apps');
  });

  it('has null for its processes if memory is in use and no process is listed', async () => {
    // In a container the driver lists no process.
    const line = (used: number) => `1, GPU-1f, 00000000:01:00.0, X, 24576, ${used}, 99, 0`;
    for (const [used, processes] of [
      [20_000, null],
      [300, []],
    ] as const) {
      const clock = createFakeClock();
      const executor = createFakeExecutor([
        { program: 'nvidia-smi', args: ['--query-compute-apps'], stdout: '' },
        { program: 'nvidia-smi', stdout: line(used) },
      ]);
      const reader = nvidiaGpus({
        executor,
        clock,
        platform: 'linux',
        isAsleep: () => false,
        firstAnswerMs: 2500,
      });
      await reader.read(continuing);
      await flush();
      expect(await reader.read(continuing)).toMatchObject({ value: [{ processes }] });
    }
  });

  it('restarts nvidia-smi only after a large change of the interval', async () => {
    const { executor, reader } = setUp(LINE);
    await reader.read(once);
    reader.setIntervalMs?.(1500);
    expect(executor.started).toHaveLength(1);
    reader.setIntervalMs?.(250);
    await flush();
    expect(executor.started[1]).toContain('--loop-ms=250');
    reader.setIntervalMs?.(1);
    reader.setIntervalMs?.(60_000);
    await flush();
    expect(executor.started[2]).toContain('--loop-ms=5000');
  });

  it('uses a round of lines when it is complete or, without a number of GPUs, when the next round begins', async () => {
    const { executor, reader } = setUp('2, GPU-a, 00000000:01:00.0, X, 100, 1, 99, 0');
    const pending = reader.read(once);
    await flush();
    const [stream] = executor.running;
    stream?.print('2, GPU-b, 00000000:02:00.0, X, 100, 2, 98, 0');
    expect(await pending).toMatchObject({
      value: [{ deviceKey: 'GPU-a' }, { deviceKey: 'GPU-b' }],
    });
    stream?.print('[N/A], GPU-a, 00000000:01:00.0, X, 100, 3, 97, 0');
    stream?.print('[N/A], GPU-a, 00000000:01:00.0, X, 100, 4, 96, 0');
    expect(await reader.read(once)).toMatchObject({
      value: [
        { deviceKey: 'GPU-a', usedBytes: 3 * MIB },
        // nvidia-smi listed the GPU before. Its use is now unknown.
        { deviceKey: 'GPU-b', usedBytes: null, reasons: ['nvidia-smi no longer lists this GPU'] },
      ],
    });
  });

  // NordicHPC/sonar #72: one of four GPUs cannot be reached, and its line is an error.
  it('uses a round that lacks a GPU when the next round begins', async () => {
    const { executor, reader } = setUp(
      'Unable to determine the device handle for gpu 0000:18:00.0: Unknown Error',
    );
    const pending = reader.read(once);
    await flush();
    const [stream] = executor.running;
    stream?.print('3, GPU-b, 00000000:02:00.0, X, 100, 2, 98, 0');
    stream?.print('3, GPU-c, 00000000:03:00.0, X, 100, 3, 97, 0');
    stream?.print('Unable to determine the device handle for gpu 0000:18:00.0: Unknown Error');
    stream?.print('3, GPU-b, 00000000:02:00.0, X, 100, 4, 96, 0');
    expect(await pending).toMatchObject({
      value: [
        { deviceKey: 'GPU-b', usedBytes: 2 * MIB },
        { deviceKey: 'GPU-c', usedBytes: 3 * MIB },
      ],
    });
  });
});
