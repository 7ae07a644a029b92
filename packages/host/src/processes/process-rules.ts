import type { AutopilotOptions, Clock } from '@mai/autopilot';
import type { Rule } from '@mai/model-config';
import type { RunningProcess } from './list-processes.js';
import { isProgram, listProcesses } from './list-processes.js';

/** How late a started program is noticed. Listing the processes takes a share of every core's time. */
const LIST_EVERY_MS = 5000;
/** Windows lists its processes through PowerShell, which is a process of its own. */
const LIST_EVERY_WINDOWS_MS = 15_000;

/** What the rules of the configuration require while the programs that they name are running. */
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
