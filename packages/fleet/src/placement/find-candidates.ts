import type { HostModel } from '../state/host-state.js';
import type { KnownHost } from '../state/known-host.js';
import { candidateOf, type Candidate, type Task } from './candidate.js';
import { checkLoad, checkModel, checkResident } from './checks/check-model.js';
import type { PreferenceOf } from './checks/wanted-models.js';
import { loadOf, type HostLoad } from './host-load.js';
import type { NotTakenReason } from './placement.js';
import type { PlacementInput, RecentSend } from './placement-input.js';

/** The host of a candidate, and what its figures are worked out from. */
interface Place {
  readonly known: KnownHost;
  readonly input: PlacementInput;
  /** The load of the host, worked out where a candidate needs it. */
  readonly loadHere: () => HostLoad;
  readonly task: Task;
}

/** Adds the candidates of a host. Returns the reason of its most preferred model where it has no candidate. */
export function addCandidates(
  candidates: Candidate[],
  known: KnownHost,
  input: PlacementInput,
  preferenceOfModel: PreferenceOf,
  task: Task,
  sends: readonly RecentSend[],
): NotTakenReason | null {
  const { ownHost, policy } = input;
  const before = candidates.length;
  const isOwn = known.state.host === ownHost;
  let load: HostLoad | null = null;
  const loadHere = (): HostLoad =>
    (load ??= loadOf(known, sends, isOwn ? 0 : policy.assumed.requests));
  const at: Place = { known, input, loadHere, task };
  let reason: NotTakenReason | null = null;
  let reasonPreference = Infinity;
  for (const model of known.state.models) {
    const preference = preferenceOfModel(model);
    if (preference === null) continue;
    const why = addModel(candidates, model, preference, at);
    if (why === null || preference >= reasonPreference) continue;
    reason = why;
    reasonPreference = preference;
  }
  if (candidates.length > before) return null;
  return reason ?? { code: 'MODEL_MISSING', models: known.state.models.length };
}

/** Adds the candidates of a model at a host: its residents that serve the request, else a load. Returns why there is none. */
function addModel(
  candidates: Candidate[],
  model: HostModel,
  preference: number,
  { known, input, loadHere, task }: Place,
): NotTakenReason | null {
  const { request, ownHost } = input;
  const unsuited = checkModel(model, request);
  if (unsuited !== null) return unsuited;
  const before = candidates.length;
  let unserving: NotTakenReason | null = null;
  for (const resident of model.residents) {
    const wrong = checkResident(model, resident, known, request);
    if (wrong === null)
      candidates.push(candidateOf(known, model, resident, preference, loadHere(), task));
    else unserving ??= wrong;
  }
  if (candidates.length > before) return null;
  const unloadable = checkLoad(model, known, request, known.state.host === ownHost);
  // The host would answer a load with the resident that has failed.
  if (unloadable !== null || unserving?.code === 'RESIDENT_FAILED') return unserving ?? unloadable;
  candidates.push(candidateOf(known, model, null, preference, loadHere(), task));
  return null;
}
