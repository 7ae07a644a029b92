import type { Resources } from '@mai/memory-ledger';
import { messageOf } from '../../error-facts.js';
import { pause, type Clock } from '../../ports/clock.js';
import type { MachineEvent, ObservedModel, PoolOutcome } from '../../ports/control-facts.js';
import type { ControlPort, MachineStatus } from '../../ports/control-port.js';
import { unlessAborted } from '../../ports/unless-aborted.js';
import { sampleOf, type MemorySample } from './memory-sample.js';

/** Follows the machine: one subscription to the autopilot, and one sample of memory a second, for all readers. */
export interface MachineWatch extends AsyncDisposable {
  /** The last observation; null before the first. */
  readonly last: Observation | null;
  /** The samples of the last 15 minutes, oldest first. */
  samples(): readonly MemorySample[];
  /** Calls `listener` with each change. Returns a function that ends this. */
  onChange(listener: (change: WatchChange) => void): () => void;
}

/** One observation of the machine's memory. */
export interface Observation {
  readonly atMs: number;
  readonly resources: Resources;
  readonly residents: readonly ObservedModel[];
  readonly pools: readonly PoolOutcome[];
}

/** A change that readers of the watch receive. */
export type WatchChange =
  | { readonly type: 'sample'; readonly sample: MemorySample }
  | { readonly type: 'event'; readonly event: MachineEvent }
  /** The autopilot cannot be followed; `message` says why. */
  | { readonly type: 'lost'; readonly message: string };

const SAMPLE_MS = 1000;
const SAMPLES_MAX = 900;
/** Without an autopilot the runtime is asked this often, and not more: it is somebody's desktop app. */
const STATUS_MS = 10_000;
const RESUBSCRIBE_MS = 1000;

/**
 * Starts to watch. Disposing of it ends every timer and subscription.
 *
 * @param readStatus - reads the status that other readers share
 */
export function watchMachine(
  port: Pick<ControlPort, 'events' | 'autopilotState' | 'resources'>,
  clock: Clock,
  readStatus: () => Promise<MachineStatus>,
): MachineWatch {
  const listeners = new Set<(change: WatchChange) => void>();
  const closed = new AbortController();
  const { signal } = closed;
  const samples: MemorySample[] = [];
  let last: Observation | null = null;
  /** When it was made, by the monotonic clock: the other clock may be set back. */
  let observedAtMs = Number.NEGATIVE_INFINITY;
  let statusAtMs = Number.NEGATIVE_INFINITY;

  const publish = (change: WatchChange): void => {
    for (const listener of listeners) listener(change);
  };
  const observe = (observation: Observation): void => {
    last = observation;
    observedAtMs = clock.monotonicMs();
    const newest = samples.at(-1);
    // Rounds of the autopilot may be much closer together than samples.
    if (newest !== undefined && observation.atMs - newest.atMs < SAMPLE_MS * 0.9) {
      // A clock that was set back would stop the samples until it has caught up.
      if (observation.atMs >= newest.atMs) return;
      samples.length = 0;
    }
    const sample = sampleOf(observation.atMs, observation.resources, observation.residents);
    samples.push(sample);
    if (samples.length > SAMPLES_MAX) samples.shift();
    publish({ type: 'sample', sample });
  };

  const follow = async (): Promise<void> => {
    let lastReason = '';
    while (!signal.aborted) {
      let why = 'No autopilot runs.';
      try {
        const events = await port.events({ signal });
        if (events !== null) {
          for await (const event of events) {
            lastReason = '';
            if (signal.aborted) return;
            if (event.type === 'decided') {
              const { resources, residents } = event.input;
              observe({ atMs: event.atMs, resources, residents, pools: event.selection.pools });
            }
            publish({ type: 'event', event });
          }
          why = 'The autopilot has stopped.';
        }
      } catch (error) {
        why = messageOf(error);
      }
      if (signal.aborted) return;
      if (why !== lastReason) publish({ type: 'lost', message: why });
      lastReason = why;
      await pause(clock, RESUBSCRIBE_MS, signal);
    }
  };
  /** Reads the memory where the autopilot has not: during a switch, and where none runs. */
  const sample = async (): Promise<void> => {
    while (!signal.aborted) {
      await pause(clock, SAMPLE_MS, signal);
      if (signal.aborted || isFresh()) continue;
      try {
        // The status of a runtime that accepts questions and does not answer takes seconds.
        await unlessAborted(readMachine(), signal);
      } catch {
        // The watch tries again after a second. The page shows the gap, and the status route answers with the error.
      }
    }
  };
  const isFresh = (): boolean => clock.monotonicMs() - observedAtMs < SAMPLE_MS * 1.5;
  const readMachine = async (): Promise<void> => {
    const isDue = clock.monotonicMs() - statusAtMs >= STATUS_MS;
    if (isDue && (last === null || (await port.autopilotState({ signal })) === null)) {
      statusAtMs = clock.monotonicMs();
      const { resources, residents, pools } = await readStatus();
      const observed = residents.map(({ instanceIdentifier, modelKey, footprint }) => ({
        instanceIdentifier,
        modelKey,
        footprint,
        observation: null,
      }));
      observe({ atMs: clock.nowMs(), resources, residents: observed, pools });
      return;
    }
    if (last === null) return;
    const resources = await port.resources({ signal });
    observe({ ...last, atMs: clock.nowMs(), resources });
  };

  const running = [follow(), sample()];
  return {
    get last() {
      return last;
    },
    samples: () => samples,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.asyncDispose]: async () => {
      closed.abort(new DOMException('The gateway has stopped.', 'AbortError'));
      listeners.clear();
      await Promise.all(running);
    },
  };
}
