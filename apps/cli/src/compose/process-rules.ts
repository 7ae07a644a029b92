import type { AutopilotOptions } from '@mai/autopilot';
import type { Rule } from '@mai/model-config';
import type { RunningProcess } from './processes.js';
import { isProgram, listProcesses } from './processes.js';

/** A program that was started is noticed this late; looking costs a share of every core's time. */
const LOOK_EVERY_MS = 5000;
/** There it takes a process of its own. */
const LOOK_EVERY_WINDOWS_MS = 15_000;

/** What the rules of the configuration require while the programs run that they name. */
export function createProcessRules(
  rules: () => readonly Rule[],
  { platform, nowMs }: { readonly platform: NodeJS.Platform; readonly nowMs: () => number },
): NonNullable<AutopilotOptions['rules']> {
  const lookEveryMs = platform === 'win32' ? LOOK_EVERY_WINDOWS_MS : LOOK_EVERY_MS;
  let lookedAtMs = -Infinity;
  let running: readonly RunningProcess[] = [];
  return async ({ signal }) => {
    const inForce = rules();
    if (inForce.length === 0) return [];
    if (Math.abs(nowMs() - lookedAtMs) >= lookEveryMs) {
      running = await listProcesses(platform, signal ?? new AbortController().signal);
      lookedAtMs = nowMs();
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
