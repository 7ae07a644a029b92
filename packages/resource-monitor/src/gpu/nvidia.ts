import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { raceDeadline } from '../ports/race.js';
import type { GpuReader, GpuReading } from '../reading/figures.js';
import type { Reading } from '../reading/reader.js';
import {
  NVIDIA_PROCESS_ARGUMENTS,
  nvidiaArguments,
  parseNvidiaLine,
  parseNvidiaProcesses,
} from './parse-nvidia.js';
import type { SupervisedStream } from '../supervision/supervised-stream.js';
import { createSupervisedStream } from '../supervision/supervised-stream.js';

const FASTEST_MS = 250;
const SLOWEST_MS = 5000;
/** Restarting costs more than reading, so small changes of pace are let pass. */
const WORTHWHILE_CHANGE = 1.9;
const STALE_AFTER_INTERVALS = 3;
const SHORTEST_STALE_MS = 3000;
const LOOK_AGAIN_AFTER_MS = 60_000;
const PROCESSES_EVERY_MS = 15_000;
const PROCESSES_TIMEOUT_MS = 5000;
/** More than a desktop takes, whose programs are not listed. */
const USED_BY_SOMEBODY_BYTES = 2 * 1024 ** 3;

/** Where nvidia-smi lies when it is not on the PATH. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  // WSL2 mounts the Windows driver's copy here, and not every distribution has that on its PATH.
  linux: ['/usr/lib/wsl/lib'],
  win32: ['C:\\Windows\\System32', 'C:\\Program Files\\NVIDIA Corporation\\NVSMI'],
};

/** NVIDIA's GPUs by one long-lived nvidia-smi. */
export function nvidiaGpus(options: {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  /** How long a first answer is waited for. */
  readonly patienceMs: number;
}): GpuReader {
  const { executor, clock, platform, patienceMs } = options;
  let program: string | null = null;
  let lookedAtMs: number | null = null;
  let intervalMs = 1000;
  let stream: SupervisedStream | null = null;
  let frame: readonly GpuReading[] = [];
  let frameAtMs: number | null = null;
  let startedAtMs = 0;
  let partial: GpuReading[] = [];
  let wake: (() => void)[] = [];
  const processes = createProcessList(executor, clock);

  const wakeAll = (): void => {
    const waiting = wake;
    wake = [];
    for (const resolve of waiting) resolve();
  };
  const onLine = (line: string): boolean => {
    const parsed = parseNvidiaLine(line, clock.monotonicMs());
    if (parsed === null) return false;
    const { reading, count } = parsed;
    // A driver that does not count is at its second round when a GPU comes again.
    if (partial.some(({ deviceKey }) => deviceKey === reading.deviceKey)) publish();
    partial.push(reading);
    if (count !== null && partial.length >= count) publish();
    return true;
  };
  const publish = (): void => {
    const lost = frame.filter(
      (gpu) => !partial.some(({ deviceKey }) => deviceKey === gpu.deviceKey),
    );
    const gone = lost.map((gpu) => withoutFigures(gpu, 'nvidia-smi does not list it any more'));
    frame = [...partial, ...gone];
    partial = [];
    frameAtMs = clock.monotonicMs();
    wakeAll();
  };
  const find = (): string | null => {
    const due = lookedAtMs === null || clock.monotonicMs() - lookedAtMs > LOOK_AGAIN_AFTER_MS;
    if (program === null && due) {
      lookedAtMs = clock.monotonicMs();
      program = executor.find('nvidia-smi', PLACES[platform] ?? []);
    }
    return program;
  };
  const supervise = (path: string): SupervisedStream =>
    (stream ??= createSupervisedStream({
      executor,
      clock,
      name: 'nvidia-smi',
      command: () => {
        partial = [];
        startedAtMs = clock.monotonicMs();
        return { program: path, args: nvidiaArguments(intervalMs) };
      },
      intervalMs: () => intervalMs,
      onLine,
      onState: wakeAll,
    }));
  const isFresh = (): boolean => {
    const allowedMs = Math.max(SHORTEST_STALE_MS, STALE_AFTER_INTERVALS * intervalMs);
    return frameAtMs !== null && clock.monotonicMs() - frameAtMs <= allowedMs;
  };

  return {
    source: 'nvidia-smi',
    async read({ continuing }): Promise<Reading<readonly GpuReading[]>> {
      const path = find();
      if (path === null) return { reason: 'it is not on the PATH' };
      const supervised = supervise(path);
      supervised.want();
      // Once for each start: one that hangs must not make every sample late.
      const patienceLeftMs = patienceMs - (clock.monotonicMs() - startedAtMs);
      if (!isFresh() && supervised.state.starting && patienceLeftMs > 0) {
        const first = new Promise<void>((resolve) => wake.push(resolve));
        await raceDeadline(first, patienceLeftMs, clock);
      }
      if (isFresh()) {
        if (continuing) processes.refresh(path);
        return { value: frame.map((gpu) => ({ ...gpu, processes: processes.of(gpu) })) };
      }
      const { trouble } = supervised.state;
      if (frameAtMs === null) return { reason: trouble ?? `no answer within ${patienceMs} ms yet` };
      const ageMs = clock.monotonicMs() - frameAtMs;
      const reason = trouble ?? `nvidia-smi's last figures are ${Math.round(ageMs / 1000)} s old`;
      // What was there is still there, but how full it is now nobody knows.
      return { value: frame.map((gpu) => withoutFigures(gpu, reason)) };
    },
    pace(wantedMs) {
      const next = Math.round(Math.min(SLOWEST_MS, Math.max(FASTEST_MS, wantedMs)));
      const change = Math.max(next / intervalMs, intervalMs / next);
      if (change < WORTHWHILE_CHANGE) return;
      intervalMs = next;
      stream?.restart();
    },
    async stop() {
      processes.stop();
      await stream?.stop();
    },
  };
}

function withoutFigures(gpu: GpuReading, reason: string): GpuReading {
  return {
    ...gpu,
    usedBytes: null,
    availableBytes: null,
    utilizationRatio: null,
    processes: null,
    readAtMonotonicMs: null,
    reasons: [reason],
  };
}

/** Who holds memory; asked rarely, beside the samples, and never waited for. */
function createProcessList(executor: Executor, clock: Clock) {
  let askedAtMs: number | null = null;
  let asking = false;
  let byGpu: ReturnType<typeof parseNvidiaProcesses> | null = null;
  const over = new AbortController();
  return {
    of({ deviceKey, usedBytes }: GpuReading): GpuReading['processes'] {
      if (byGpu === null) return null;
      const listed = byGpu.get(deviceKey) ?? [];
      // In a container the driver lists none; then nobody knows who holds it.
      return listed.length === 0 && (usedBytes ?? 0) > USED_BY_SOMEBODY_BYTES ? null : listed;
    },
    refresh(program: string): void {
      const nowMs = clock.monotonicMs();
      if (asking || (askedAtMs !== null && nowMs - askedAtMs < PROCESSES_EVERY_MS)) return;
      askedAtMs = nowMs;
      asking = true;
      void executor
        .run(program, NVIDIA_PROCESS_ARGUMENTS, {
          timeoutMs: PROCESSES_TIMEOUT_MS,
          signal: over.signal,
        })
        .then(({ outcome, exitCode, stdout }) => {
          asking = false;
          byGpu = outcome === 'exited' && exitCode === 0 ? parseNvidiaProcesses(stdout) : null;
        });
    },
    stop: (): void => over.abort(),
  };
}
