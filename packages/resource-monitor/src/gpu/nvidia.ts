import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { createRepeatedEvent } from '../ports/race.js';
import type { GpuReader, GpuReading } from '../reading/figures.js';
import type { Reading } from '../reading/reader.js';
import { createMigList } from './mig.js';
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
/** nvidia-smi is restarted only if the interval changes by at least this factor. */
const RESTART_FROM_FACTOR = 1.9;
/** Figures are stale after this number of intervals, but not before `SHORTEST_STALE_MS`. */
const STALE_AFTER_INTERVALS = 3;
const SHORTEST_STALE_MS = 3000;
/** Where nvidia-smi is not found, the PATH is searched again after this time. */
const LOOK_AGAIN_AFTER_MS = 60_000;
const PROCESSES_EVERY_MS = 15_000;
const PROCESSES_TIMEOUT_MS = 5000;
/**
 * nvidia-smi lists only compute processes. The graphics of a desktop can use up to this number of bytes. If
 * more memory is in use and no process is listed, the list is incomplete.
 */
const GRAPHICS_USE_BYTES = 2 * 1024 ** 3;

/** What nvidia-smi prints where its driver runs and has no GPU. */
const NO_DEVICES = 'No devices were found';

const ASLEEP = 'all NVIDIA GPUs are suspended to save power, and nvidia-smi would wake them';

/** Folders of nvidia-smi that are not always on the PATH. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  // WSL2 mounts the Windows driver's copy here.
  linux: ['/usr/lib/wsl/lib'],
  win32: ['C:\\Windows\\System32', 'C:\\Program Files\\NVIDIA Corporation\\NVSMI'],
};

/** Reads NVIDIA's GPUs from one long-lived nvidia-smi. */
export function nvidiaGpus(options: {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  /** Whether all NVIDIA GPUs are suspended. nvidia-smi would wake them, so it is not run then. */
  readonly isAsleep: () => boolean;
  /** How long a sample waits for the first figures after a start of nvidia-smi. */
  readonly firstAnswerMs: number;
}): GpuReader {
  const { executor, clock, platform, isAsleep, firstAnswerMs } = options;
  let program: string | null = null;
  let lookedAtMs: number | null = null;
  let intervalMs = 1000;
  let stream: SupervisedStream | null = null;
  let frame: readonly GpuReading[] = [];
  let frameAtMs: number | null = null;
  let startedAtMs = 0;
  /** The GPUs of the current round of output, which is not complete yet. */
  let partial: GpuReading[] = [];
  const changed = createRepeatedEvent(clock);
  const processes = createProcessList(executor, clock);
  const slices = createMigList(executor, clock);

  const onLine = (line: string): boolean => {
    const parsed = parseNvidiaLine(line, clock.monotonicMs());
    if (parsed === null) return false;
    const { reading, count } = parsed;
    // If the driver prints no number of GPUs, a round is complete when a GPU is listed again.
    if (partial.some(({ deviceKey }) => deviceKey === reading.deviceKey)) publish();
    partial.push(reading);
    if (count !== null && partial.length >= count) publish();
    return true;
  };
  const publish = (): void => {
    const lost = frame.filter(
      (gpu) => !partial.some(({ deviceKey }) => deviceKey === gpu.deviceKey),
    );
    const gone = lost.map((gpu) => withoutFigures(gpu, 'nvidia-smi no longer lists this GPU'));
    frame = [...partial, ...gone];
    partial = [];
    frameAtMs = clock.monotonicMs();
    changed.happened();
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
      onState: () => changed.happened(),
    }));
  const isFresh = (): boolean => {
    const allowedMs = Math.max(SHORTEST_STALE_MS, STALE_AFTER_INTERVALS * intervalMs);
    return frameAtMs !== null && clock.monotonicMs() - frameAtMs <= allowedMs;
  };

  return {
    source: 'nvidia-smi',
    async read({ continuing }): Promise<Reading<readonly GpuReading[]>> {
      const path = find();
      if (path === null) return { reason: 'not found on the PATH', cause: 'not-installed' };
      if (isAsleep()) {
        stream?.pause();
        return frame.length === 0
          ? { reason: ASLEEP, cause: 'suspended' }
          : { value: frame.map((gpu) => withoutFigures(gpu, ASLEEP)) };
      }
      const supervised = supervise(path);
      supervised.keepAlive();
      // The wait is counted from the start of nvidia-smi, so a hanging nvidia-smi delays only one sample.
      const waitMs = firstAnswerMs - (clock.monotonicMs() - startedAtMs);
      if (!isFresh() && supervised.state.starting && waitMs > 0) await changed.next(waitMs);
      if (isFresh()) {
        if (continuing) processes.refresh(path);
        const printed = frame;
        const gpus = await slices.withoutSplit(path, printed);
        // The figures are kept for later samples, unless a newer round has arrived meanwhile.
        if (frame === printed) frame = gpus;
        return { value: gpus.map((gpu) => ({ ...gpu, processes: processes.of(gpu) })) };
      }
      const { trouble, lastWords } = supervised.state;
      if (frameAtMs === null)
        return {
          reason: trouble ?? `no answer within ${firstAnswerMs} ms yet`,
          cause: lastWords === NO_DEVICES ? 'no-device' : null,
        };
      const ageMs = clock.monotonicMs() - frameAtMs;
      const reason = trouble ?? `nvidia-smi's last figures are ${Math.round(ageMs / 1000)} s old`;
      // The GPUs are still present, but their figures are no longer known.
      return { value: frame.map((gpu) => withoutFigures(gpu, reason)) };
    },
    setIntervalMs(requestedMs) {
      const next = Math.round(Math.min(SLOWEST_MS, Math.max(FASTEST_MS, requestedMs)));
      const change = Math.max(next / intervalMs, intervalMs / next);
      if (change < RESTART_FROM_FACTOR) return;
      intervalMs = next;
      stream?.restart();
    },
    async stop() {
      processes.stop();
      slices.stop();
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

/** The processes that hold GPU memory. The list is read rarely and in the background, so samples never wait for it. */
function createProcessList(executor: Executor, clock: Clock) {
  let askedAtMs: number | null = null;
  let asking = false;
  let byGpu: ReturnType<typeof parseNvidiaProcesses> | null = null;
  const over = new AbortController();
  return {
    of({ deviceKey, usedBytes }: GpuReading): GpuReading['processes'] {
      if (byGpu === null) return null;
      const listed = byGpu.get(deviceKey) ?? [];
      // In a container the driver lists no processes, although processes use GPU memory.
      return listed.length === 0 && (usedBytes ?? 0) > GRAPHICS_USE_BYTES ? null : listed;
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
