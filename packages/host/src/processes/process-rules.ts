import type { AutopilotOptions, Clock } from '@mai/autopilot';
import type { Rule } from '@mai/model-config';
import type { RunningProcess } from './list-processes.js';
import { isProgram, listProcesses } from './list-processes.js';

/**
 * Interval between two listings, and so the longest delay until a started program is noticed. A shorter
 * interval costs more CPU time.
 */
const LIST_EVERY_MS = 5000;
/** The interval on Windows. Longer, because each listing starts a PowerShell process. */
const LIST_EVERY_WINDOWS_MS = 15_000;

/** Returns the requirements of the configuration's rules whose programs run. */
export function createProcessRules(
  rules: () => readonly Rule[],
  { platform, clock }: { readonly platform: NodeJS.Platform; readonly clock: Clock },
): NonNullable<AutopilotOptions['rules']> {
  const listEveryMs = platform === 'win32' ? LIST_EVERY_WINDOWS_MS : LIST_EVERY_MS;
  let listedAtMs = -Infinity;
  let running: readonly RunningProcess[] = [];
  return async ({ signal }) => {
    const inForce = rules();
    if (inForce.length === 0) return [];
    if (clock.monotonicMs() - listedAtMs >= listEveryMs) {
      running = await listProcesses(platform, signal ?? new AbortController().signal);
      listedAtMs = clock.monotonicMs();
    }
    return inForce
      .filter(({ when }) => running.some((one) => isProgram(one, when.process)))
      .map(({ then }) => ({
        capabilities: [],
        minContextLengthTokens: null,
        tiers: [then.tier],
      }));
  };
}
