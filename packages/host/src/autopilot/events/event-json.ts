import type { AutopilotEvent, RunEvent, RunReport } from '@mai/autopilot';
import type { RejectedCandidate } from '@mai/selector';
import { asServed } from '../../selection/as-served.js';

/**
 * An event of the autopilot as an object for one line of JSON. Leaves out the input of a decision, because it is a
 * hundred times larger than the rest, and the decision log contains it.
 *
 * @param errorJson - converts a thrown value to an object
 */
export function eventJson(event: AutopilotEvent, errorJson: (error: unknown) => object): object {
  switch (event.type) {
    case 'decided': {
      const { type, atMs, target, selection, verdict, timeToHardLimitMs, input } = event;
      const { decision, direction, plan, afterDrain, headroomBytes } = selection;
      const { chosen } = asServed(selection, input);
      return {
        type,
        atMs,
        target,
        decision,
        direction,
        chosen:
          chosen === null
            ? null
            : {
                modelKey: chosen.modelKey,
                instanceIdentifier: chosen.instanceIdentifier,
                loadConfig: chosen.loadOption.loadConfig,
              },
        steps: plan.steps.map((step) =>
          step.action === 'load'
            ? { action: step.action, modelKey: step.modelKey }
            : { action: step.action, instanceIdentifier: step.instanceIdentifier, why: step.why },
        ),
        waitsFor: afterDrain?.waitsFor ?? [],
        headroomBytes,
        verdict,
        timeToHardLimitMs,
        pools: selection.pools,
        residents: input.residents.map(
          ({ instanceIdentifier, modelKey, busy, pinned, foreign }) => ({
            instanceIdentifier,
            modelKey,
            busy,
            pinned,
            foreign,
          }),
        ),
        rejected: selection.rejected.map(rejectedJson),
        notes: selection.notes,
      };
    }
    case 'switch-step':
      return { type: event.type, atMs: event.atMs, ...stepJson(event.step) };
    case 'switch-finished': {
      const { type, atMs, reason, tookMs, report } = event;
      return { type, atMs, reason, tookMs, ...reportJson(report) };
    }
    case 'fault':
    case 'catalog-rejected':
      return { ...event, error: errorJson(event.error) };
    case 'journal-changed': {
      const { type, atMs, journal } = event;
      return { type, atMs, revision: journal.revision, pins: journal.pins, yields: journal.yields };
    }
    default:
      return event;
  }
}

function rejectedJson({ modelKey, rejection }: RejectedCandidate): object {
  return { modelKey, ...rejection };
}

function stepJson(step: Exclude<RunEvent, { type: 'decided' }>): object {
  const { type, ...rest } = step;
  if (step.type !== 'loaded') return { step: type, ...rest };
  const { instance, loadConfig, mismatches, tookMs } = step;
  const { instanceIdentifier, modelKey } = instance;
  return { step: type, modelKey, instanceIdentifier, loadConfig, mismatches, tookMs };
}

function reportJson({ outcome, instanceIdentifier, ...report }: RunReport): object {
  const names = (instances: RunReport['loaded']) =>
    instances.map((instance) => instance.instanceIdentifier);
  return {
    outcome,
    instanceIdentifier,
    failures: report.failures,
    busy: report.busy,
    forced: report.forced,
    loaded: names(report.loaded),
    unloaded: names(report.unloaded),
    restored: names(report.restored),
  };
}
