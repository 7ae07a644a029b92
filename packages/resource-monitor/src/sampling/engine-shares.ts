import type { ProcessReading, ProcessReadings } from '../reading/figures.js';
import type { EngineProcess } from '../snapshot.js';
import { SHORTEST_WINDOW_MS } from './shortest-window.js';

/**
 * Turns the CPU time of processes into their shares of all cores. Readings have times of their own:
 * looking through processes is dear, so some platforms do it more rarely than they sample.
 */
export function createEngineShares(): (
  now: ProcessReadings | null,
  cores: number | null,
) => readonly EngineProcess[] | null {
  let base: ProcessReadings | null = null;
  let last: readonly EngineProcess[] = [];
  return (now, cores) => {
    if (now === null) return null;
    if (base !== null && now.atMs - base.atMs < SHORTEST_WINDOW_MS) return last;
    last = sharesBetween(base, now, cores);
    base = now;
    return last;
  };
}

function sharesBetween(
  before: ProcessReadings | null,
  now: ProcessReadings,
  cores: number | null,
): readonly EngineProcess[] {
  const elapsedMs = before === null ? 0 : now.atMs - before.atMs;
  const earlier = new Map(before?.processes.map((process) => [process.processId, process]));
  const shareOf = (process: ProcessReading): number | null => {
    const base = earlier.get(process.processId);
    // A later process may have the same id.
    if (base?.startedAt !== process.startedAt || elapsedMs <= 0 || cores === null) return null;
    return Math.min(1, Math.max(0, process.cpuMs - base.cpuMs) / (elapsedMs * cores));
  };
  return now.processes
    .map((process) => ({
      processId: process.processId,
      name: process.name,
      cpuRatio: shareOf(process),
      residentBytes: process.residentBytes,
    }))
    .sort((one, other) => (other.cpuRatio ?? 0) - (one.cpuRatio ?? 0));
}
