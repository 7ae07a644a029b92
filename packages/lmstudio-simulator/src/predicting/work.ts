import type { Runtime } from '../runtime/runtime.js';
import type { StopReason } from '../runtime/prediction-stats.js';
import type { InstanceStatus, Job, ResidentState } from '../runtime/resident.js';

/** A prediction or an embedding, which occupies a parallel slot of an instance. */
export interface Work {
  next(callback: () => void, delayMs: number): void;
  finish(stopReason: StopReason): void;
}

/** Starts work in one of the instance's parallel slots, or queues the work until a slot is free. */
export function startWork(
  runtime: Runtime,
  resident: ResidentState,
  status: InstanceStatus,
  events: { started(): void; finished(stopReason: StopReason): void },
): Work {
  let cancelTimer = (): void => {};
  let over = false;

  const leave = (stopReason: StopReason): boolean => {
    if (over) return false;
    over = true;
    cancelTimer();
    resident.jobs.delete(job);
    const place = resident.queue.indexOf(job);
    if (place >= 0) resident.queue.splice(place, 1);
    if (resident.jobs.size === 0) resident.status = 'idle';
    events.finished(stopReason);
    return true;
  };
  const job: Job = {
    start() {
      resident.jobs.add(job);
      resident.status = status;
      runtime.residents.touch(resident);
      events.started();
    },
    abandon() {
      leave('modelUnloaded');
    },
  };
  const work: Work = {
    next(callback, delayMs) {
      // A listener may have ended the work.
      if (over) return;
      cancelTimer = runtime.clock.schedule(callback, delayMs);
    },
    finish(stopReason) {
      if (!leave(stopReason)) return;
      runtime.residents.touch(resident);
      if (resident.jobs.size < resident.settings.parallelSequences) resident.queue.shift()?.start();
    },
  };
  if (resident.jobs.size < resident.settings.parallelSequences) {
    // Starts in a microtask, so that the caller gets the handle before the first event.
    resident.jobs.add(job);
    queueMicrotask(() => {
      if (!over) job.start();
    });
  } else {
    resident.queue.push(job);
  }
  return work;
}
