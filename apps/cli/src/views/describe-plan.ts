import type { SwitchReason } from '@mai/autopilot';
import type { Selection } from '@mai/selector';

/** What a selection would have done, without its timing. */
export function describePlan({ decision, direction, chosen, afterDrain }: Selection): string {
  const key = chosen?.modelKey ?? 'nothing';
  switch (decision) {
    case 'keep':
      return `keep ${key}: it is loaded, and the best that fits`;
    case 'load':
      return `load ${key}: the best that fits`;
    case 'switch':
      return direction === null
        ? `load ${key} anew`
        : `step ${direction} to ${key}: the best that fits`;
    case 'wait':
      return `step ${direction ?? 'down'} to ${afterDrain?.modelKey ?? key} once ${(afterDrain?.waitsFor ?? []).join(', ')} is idle`;
    case 'release':
      return 'release what is loaded: memory is about to run out, and nothing smaller fits';
    case 'none':
      return 'nothing fits';
  }
}

/** Why a switch is made. */
export function describeReason(reason: SwitchReason): string {
  switch (reason) {
    case 'NOTHING_RESIDENT':
      return 'nothing is loaded';
    case 'EMERGENCY':
      return 'memory is over its hard limit';
    case 'FORECAST':
      return 'memory is about to run out';
    case 'DWELL_OVER':
      return 'it has been due for long enough';
    case 'REQUESTED':
      return 'somebody asked for it';
    case 'YIELD':
      return 'memory is yielded';
    case 'STEADY':
    case 'DWELLING':
    case 'COOLING_DOWN':
    case 'CPU_PRESSURE':
    case 'DRAINING':
      return 'it is due';
  }
}
