import type { SwitchReport } from '../../selection/select.js';
import { describeObstacle } from './describe-obstacle.js';
import type { EventStyle } from './describe-event.js';

/** Describes the outcome of a switch that a person asked for, as a sentence with the next step where there is one. */
export function describeSwitch(report: SwitchReport, style: EventStyle): string {
  const { outcome, last, instanceIdentifier, busy, unloaded, obstacle } = report;
  const key = last.selection.chosen?.modelKey ?? 'nothing';
  switch (outcome) {
    case 'kept':
      return `${style.good('Kept')} ${instanceIdentifier ?? key}: it is loaded and is the best model that fits.`;
    case 'switched':
      return `${style.good('Ready')}: ${key} answers as ${instanceIdentifier ?? key}.`;
    case 'would-switch':
      return 'Nothing was changed: this is a dry run.';
    case 'released':
      return `${style.caution('Unloaded')} ${unloaded.map((one) => one.instanceIdentifier).join(', ')}: memory was about to run out, and no smaller model fits.`;
    case 'put-off':
      return `${style.caution('Postponed')}: ${busy.join(', ')} is still busy. Try again when it is idle.`;
    case 'nothing-fits':
      return obstacle === null || obstacle.kind === 'nothing-fits'
        ? `${style.bad('Nothing fits')}. ${describeObstacle(obstacle ?? { kind: 'nothing-fits', yieldedBytes: 0 })}`
        : describeObstacle(obstacle);
    case 'rolled-back':
      return `${style.bad('No model could be loaded')}. The previous model is loaded again.`;
    case 'cancelled':
      return 'Cancelled.';
    case 'failed':
      return `${style.bad('No model could be loaded')}. The warnings above say why.`;
  }
}
