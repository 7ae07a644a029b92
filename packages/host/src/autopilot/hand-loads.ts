import type { Clock, JournalState } from '@mai/autopilot';
import { IDENTIFIER_PREFIX, isAutopilotError } from '@mai/autopilot';
import type { LoadMismatch, ResidentInstance } from '@mai/lmstudio-adapter';
import { notLoaded, refuseBusy } from './unload-refusals.js';
import type {
  CallOptions,
  HandCalls,
  HandLoad,
  HandLoadOptions,
  PinChange,
} from '../control/autopilot-service.js';
import type { GivenContexts } from '../runtime/given-contexts.js';
import { isRuntimeError } from '../runtime/runtime-error.js';
import type { LoadCalls } from '../runtime/time-loads.js';
import type { JournalChanges } from './journal-changes.js';
import { withoutPins, withoutStalePins, withPin } from './journal-changes.js';

/** The parts that loads and unloads by hand need. */
export interface HandLoadParts {
  readonly client: LoadCalls;
  readonly journal: JournalChanges;
  readonly clock: Clock;
  /** Notes a context that came out longer than asked, so that decisions plan with it. */
  readonly contexts: Pick<GivenContexts, 'record'>;
  /** Identifiers of the instances that are leased. */
  readonly leased: () => readonly string[];
  /** Keeps instances with these identifiers from being unloaded, from now until the returned function is called. */
  readonly hold: (identifiers: readonly string[]) => () => void;
  /** Called right before and after these instances are unloaded, so that the autopilot gives no lease on them. */
  readonly leaving: (identifiers: readonly string[]) => void;
}

/** Loads and unloads by hand. An instance that was loaded by hand is pinned until it is unloaded by hand. */
export function createHandLoads({
  client,
  journal,
  clock,
  contexts,
  leased,
  hold,
  leaving,
}: HandLoadParts): HandCalls {
  const changePins = async (
    change: (state: JournalState) => JournalState,
    options: CallOptions,
  ): Promise<PinChange> => {
    try {
      return { delivery: (await journal.change(change, options)).delivery, pinError: null };
    } catch (error) {
      // The load or unload has succeeded, so return the journal's error instead of throwing it.
      if (!isAutopilotError(error)) throw error;
      return { delivery: null, pinError: error };
    }
  };

  return {
    load: async (request, { signal, onProgress } = {}) => {
      const identifiers = request.candidates.map((one) => identifierOf(request, one.modelKey));
      // The pin is written after the load. Until then, `hold` protects the instance from the
      // autopilot.
      const letGo = hold(identifiers);
      try {
        const loaded = await loadOneOf(client, request, { signal, onProgress });
        const { instanceIdentifier: target, contextLengthTokens } = loaded.instance;
        const asked = request.candidates[loaded.index];
        if (asked !== undefined && !loaded.reused && loaded.instance.deviceIdentifier === null) {
          const { modelKey, loadConfig } = asked;
          await contexts.record(modelKey, loadConfig.contextLengthTokens, contextLengthTokens);
        }
        const present = await identifiersNow(client, signal);
        const pin = { target, reason: 'load', sinceMs: clock.nowMs() } as const;
        const pinned = await changePins(
          (state) => withPin(present === null ? state : withoutStalePins(state, present), pin),
          { signal },
        );
        return { ...loaded, ...pinned };
      } finally {
        letGo();
      }
    },
    unload: async ({ instanceIdentifiers, force }, { signal } = {}) => {
      const options = signal === undefined ? {} : { signal };
      const residents = await client.listResidents(options);
      const targets = instanceIdentifiers.map((wanted) => {
        const found = residents.find((one) => one.instanceIdentifier === wanted);
        if (found === undefined) throw notLoaded(wanted, residents);
        return found;
      });
      if (!force) refuseBusy(targets, leased());
      const unloaded: ResidentInstance[] = [];
      leaving(instanceIdentifiers);
      try {
        for (const target of targets) {
          await client.unload(target.instanceIdentifier, options);
          unloaded.push(target);
        }
      } catch (error) {
        // Remove the pins of the instances that were unloaded before the error.
        if (unloaded.length > 0) await changePins(withoutPinsOf(unloaded), {});
        throw error;
      } finally {
        leaving(instanceIdentifiers);
      }
      return { unloaded, ...(await changePins(withoutPinsOf(unloaded), { signal })) };
    },
  };
}

/** The identifiers of all residents; null where the runtime does not list them, which does not undo a load. */
async function identifiersNow(
  client: LoadCalls,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | null> {
  try {
    const residents = await client.listResidents(signal === undefined ? {} : { signal });
    return residents.map((one) => one.instanceIdentifier);
  } catch (error) {
    if (isRuntimeError(error)) return null;
    throw error;
  }
}

/** The identifier of the new instance. The default prefix shows other clients that Mai has loaded it. */
function identifierOf({ identifier }: HandLoad, modelKey: string): string {
  return identifier ?? `${IDENTIFIER_PREFIX}${modelKey}`;
}

async function loadOneOf(
  client: LoadCalls,
  request: HandLoad,
  { signal, onProgress }: HandLoadOptions,
) {
  const requests = request.candidates.map(({ modelKey, kind, loadConfig }, index) => ({
    modelKey,
    kind,
    loadConfig,
    identifier: identifierOf(request, modelKey),
    // If the request names no identifier, a copy that the user has loaded may be used instead of a new one.
    reuse: request.identifier === null,
    ttlMs: request.ttlMs,
    timeoutMs: request.timeoutMs ?? undefined,
    onProgress: (ratio: number) => onProgress?.(index, ratio),
    ...(signal === undefined ? {} : { signal }),
  }));
  const [only, second] = requests;
  // Not `loadFirst` for one model, because it would wrap the error in an error about a list.
  const loaded =
    only !== undefined && second === undefined
      ? { ...(await client.load(only)), index: 0, failures: [] }
      : await client.loadFirst(requests);
  // If the request names no identifier, any identifier is accepted. A copy that was loaded before may have more context.
  const isAsked = ({ field }: LoadMismatch): boolean =>
    (field !== 'identifier' || request.identifier !== null) &&
    (field !== 'contextLengthTokens' || !loaded.reused);
  return { ...loaded, verified: loaded.verified.filter(isAsked) };
}

function withoutPinsOf(unloaded: readonly ResidentInstance[]) {
  const gone = unloaded.map(({ instanceIdentifier }) => instanceIdentifier);
  return (state: JournalState): JournalState =>
    withoutPins(state, ({ reason, target }) => reason === 'load' && gone.includes(target));
}
