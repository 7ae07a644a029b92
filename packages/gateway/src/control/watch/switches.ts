import type { MachineEvent } from '../../ports/control-facts.js';

/** A switch that has ended, for the time axis. */
export interface SwitchMark {
  readonly atMs: number;
  readonly tookMs: number;
  readonly reason: string;
  readonly outcome: string;
  readonly loaded: readonly string[];
  readonly unloaded: readonly string[];
  readonly text: string;
}

/** The loaded model stayed, and only instances that were busy or pinned when it replaced them were unloaded. */
const LEFT_OVER = 'it was no longer needed';

const REASONS: Readonly<Record<string, string>> = {
  NOTHING_RESIDENT: 'no model of the chain was loaded',
  EMERGENCY: 'memory was over its hard limit',
  FORECAST: 'memory was filling up',
  DWELL_OVER: 'it had been due for the dwell time',
  REQUESTED: 'a request needed it',
  YIELD: 'a yield keeps memory free',
  STEADY: LEFT_OVER,
  DWELLING: LEFT_OVER,
  COOLING_DOWN: LEFT_OVER,
  CPU_PRESSURE: LEFT_OVER,
  DRAINING: LEFT_OVER,
};

/** A switch that has ended, in words. */
export function markOf(event: Extract<MachineEvent, { type: 'switch-finished' }>): SwitchMark {
  const { atMs, tookMs, reason, report } = event;
  const loaded = report.loaded.map((one) => one.instanceIdentifier);
  const unloaded = report.unloaded.map((one) => one.instanceIdentifier);
  const parts = [
    ...(unloaded.length === 0 ? [] : [`unloaded ${unloaded.join(', ')}`]),
    ...(loaded.length === 0 ? [] : [`loaded ${loaded.join(', ')}`]),
    ...report.failures.map(
      ({ modelKey, hadRoom = false }) =>
        `${modelKey} failed to load${hadRoom ? ' with a longer context than needed' : ''}`,
    ),
  ];
  const done = parts.length === 0 ? 'nothing changed' : parts.join(', ');
  return {
    atMs,
    tookMs,
    reason,
    loaded,
    unloaded,
    outcome: report.outcome,
    text: `${done}, because ${REASONS[reason] ?? reason}`,
  };
}
