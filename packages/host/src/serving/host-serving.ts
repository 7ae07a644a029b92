import { assembleSelectionInput, requirementOf, type LeasePlan } from '@mai/autopilot';
import { selectModel, type Selection } from '@mai/selector';
import type { HostAutopilot } from '../autopilot/host-autopilot.js';
import { readReservationsOrWarn } from '../session/read-reservations.js';
import type { CallOptions } from '../control/autopilot-service.js';
import type { HostParts } from '../host-parts.js';
import { contextOfCall, withSession } from '../session/session.js';
import { describeCatalog } from './describe-catalog.js';
import { isUnreachable } from '../runtime/runtime-error.js';
import { notesOfUnlisted } from '../downloads/left-out-notes.js';
import { createMachineModels } from './machine-models.js';
import type { Serving, ServingCatalog, ServingPlan, ServingRequest } from './serving.js';
import { readChanges } from './serving-changes.js';

/** Joins a host's autopilot with its models, for a gateway. Reads nothing before the first call. */
export function createHostServing(parts: HostParts, autopilot: HostAutopilot): Serving {
  const { context } = parts;
  const machine = createMachineModels(parts);

  const catalog = async ({ signal }: CallOptions = {}): Promise<ServingCatalog> => {
    const call = contextOfCall(context, signal);
    const [config, { judgeQuality }, state] = await Promise.all([
      machine.config(),
      parts.estimation(),
      // Where the autopilot has just ended, its residents are read from LM Studio.
      autopilot.state({ signal: call.signal }).catch(() => null),
    ]);
    call.signal.throwIfAborted();
    const residents = await machine.residents(state, call.signal);
    const downloads = await machine.downloads(residents, call.signal);
    const isOn = downloads.link.kind === 'on' && !isUnreachable(state?.fault);
    return {
      ...describeCatalog(config, downloads, residents, judgeQuality),
      decisionId: state?.decision?.id ?? null,
      runtime: downloads.link.runtime,
      runtimeAnswers: isOn,
      runtimeVersion:
        isOn && downloads.link.runtime === 'lmstudio'
          ? downloads.link.client.connectedVersion.version
          : null,
    };
  };

  /** Decides without an autopilot. */
  const planAlone = (request: ServingRequest, options: CallOptions): Promise<LeasePlan> =>
    withSession(parts, options, async (session) => {
      const { ports, context } = session;
      const { chain, modelKey } = request;
      const { pinned, yields } = await readReservationsOrWarn(session);
      const input = await assembleSelectionInput(
        ports,
        { chain, modelKey, requirement: requirementOf(request), pinned },
        { signal: context.signal, yields },
      );
      const retained = input.residents.map((one) => one.instanceIdentifier);
      const selection = selectModel({ ...input, retained });
      const resident = input.residents.find(
        (one) =>
          selection.decision === 'keep' &&
          one.instanceIdentifier === selection.chosen?.instanceIdentifier,
      );
      return { resident: isServed(selection) ? (resident ?? null) : null, selection };
    });

  return {
    catalog,
    acquire: async (request, options = {}) => {
      const {
        baseUrl,
        [Symbol.asyncDispose]: _,
        ...lease
      } = await autopilot.acquire(request, options);
      return {
        ...lease,
        baseUrl: baseUrl.replace(/\/v1$/, ''),
        peer: null,
        forOneRequest: false,
        ended: null,
        placementId: null,
      };
    },
    plan: async (request, options = {}) => {
      const plan = (await autopilot.plan(request, options)) ?? (await planAlone(request, options));
      const { modelKey, decision, unloads } = outcomeOf(plan);
      const { models } = await machine.listed(contextOfCall(context, options.signal).signal);
      const sizeBytes = models.find((one) => one.modelKey === modelKey)?.sizeBytes ?? 0;
      return {
        decision,
        modelKey,
        unloads,
        selection: plan.selection,
        // Older versions of LM Studio list models without their size.
        loadBytes: decision === 'load' && sizeBytes > 0 ? sizeBytes : null,
      };
    },
    measured: async (answer) => (await parts.learner()).answered(answer),
    changes: (options = {}) =>
      readChanges(
        {
          events: (call) => autopilot.events(call),
          catalogText: async (call) => {
            const [config, listed] = await Promise.all([
              machine.config(),
              machine.listed(contextOfCall(context, call.signal).signal),
            ]);
            const { models, link } = listed;
            return JSON.stringify([config, models, link.kind, notesOfUnlisted(listed)]);
          },
          clock: context.clock,
          ending: context.signal,
        },
        options,
      ),
  };
}

/** Whether the chosen model meets the requirement: a resident that does not is kept where nothing better fits. */
function isServed({ chosen, rejected }: Selection): boolean {
  return (
    chosen !== null &&
    rejected.every(({ candidateIndex }) => candidateIndex !== chosen.candidateIndex)
  );
}

function outcomeOf({
  resident,
  selection,
}: LeasePlan): Pick<ServingPlan, 'decision' | 'modelKey' | 'unloads'> {
  if (resident !== null) return { decision: 'serve', modelKey: resident.modelKey, unloads: [] };
  const { decision, chosen, plan, afterDrain } = selection;
  const isLoad = decision === 'load' || decision === 'switch';
  const steps = isLoad ? plan.steps : decision === 'wait' ? (afterDrain?.plan.steps ?? []) : [];
  const modelKey = isLoad ? (chosen?.modelKey ?? null) : (afterDrain?.modelKey ?? null);
  if (steps.every((step) => step.action !== 'load')) {
    return { decision: 'none', modelKey: null, unloads: [] };
  }
  return {
    decision: 'load',
    modelKey,
    unloads: steps.flatMap((step) => (step.action === 'unload' ? [step.instanceIdentifier] : [])),
  };
}
