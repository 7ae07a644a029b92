import { isForeign, type AutopilotState } from '@mai/autopilot';
import { isModelConfigError, type ModelConfig } from '@mai/model-config';
import { openLiveConfig } from '../autopilot/live/live-config.js';
import type { HostParts } from '../host-parts.js';
import { once } from '../promises/once.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { rememberModels } from '../downloads/remember-models.js';
import { orAborted } from '../promises/or-aborted.js';
import { isUnreachable } from '../runtime/runtime-error.js';
import type { LoadedModel } from './describe-catalog.js';

/** Age from which the list of downloads is read again. */
const DOWNLOADS_FRESH_MS = 30_000;
/** Age from which residents are listed again while no autopilot runs. */
const RESIDENTS_FRESH_MS = 10_000;

/** The configuration and the downloaded models, from caches. */
export interface MachineModels {
  /** The configuration in force. @throws ModelConfigError where no valid configuration was read yet */
  config(): Promise<ModelConfig>;
  /** The last list of downloads. An old list is returned and read again in the background. */
  listed(signal: AbortSignal): Promise<Downloads>;
  /** The same, with the loaded models whose files are gone. */
  downloads(loaded: readonly LoadedModel[], signal: AbortSignal): Promise<Downloads>;
  /** The residents of the autopilot's last observation, or of LM Studio where no autopilot has observed yet. */
  residents(state: AutopilotState | null, signal: AbortSignal): Promise<readonly LoadedModel[]>;
}

/** Creates the caches without reading. */
export function createMachineModels(parts: HostParts): MachineModels {
  const { context } = parts;
  const live = once(() => openLiveConfig(context));
  const remember = rememberModels();

  const list = createCache(context.clock, DOWNLOADS_FRESH_MS, async (): Promise<Downloads> => {
    const link = await parts.runtime.link(context.signal);
    const { listDownloads, headers } = await parts.estimation();
    return listDownloads(link, context, headers).catch((error: unknown) => {
      if (link.kind === 'off' || !isUnreachable(error)) throw error;
      // LM Studio has stopped since the connection was made.
      parts.runtime.forget(link.client);
      return listDownloads({ kind: 'off', runtime: link.runtime, reason: error }, context, headers);
    });
  });

  const loaded = createCache(
    context.clock,
    RESIDENTS_FRESH_MS,
    async (): Promise<readonly LoadedModel[]> => {
      const link = await parts.runtime.link(context.signal);
      if (link.kind === 'off') return [];
      const instances = await link.client.listResidents({ signal: context.signal });
      return instances
        .filter(({ deviceIdentifier }) => deviceIdentifier === null)
        .map(({ modelKey, instanceIdentifier, contextLengthTokens }) => ({
          modelKey,
          instanceIdentifier,
          contextLengthTokens,
          foreign: isForeign({ modelKey, instanceIdentifier }),
          host: null,
        }));
    },
  );

  return {
    config: async () => {
      const config = await live();
      try {
        const edited = await config.changed();
        if (edited !== null) config.accept(edited);
      } catch (error) {
        // The last valid configuration stays in force. The autopilot reports the fault.
        if (!isModelConfigError(error)) throw error;
      }
      return config.current.config;
    },
    listed: (signal) => orAborted(list(), signal),
    downloads: async (residents, signal) =>
      remember(
        await orAborted(list(), signal),
        residents.map(({ modelKey }) => modelKey),
      ),
    residents: async (state, signal) => {
      if (state?.decision == null) return orAborted(loaded(), signal);
      if (isUnreachable(state.fault)) return [];
      return state.decision.input.residents.map((one) => ({
        modelKey: one.modelKey,
        instanceIdentifier: one.instanceIdentifier,
        contextLengthTokens: one.loadConfig.contextLengthTokens,
        foreign: one.foreign,
        host: null,
      }));
    },
  };
}

/**
 * Returns a function that reads a value at its first call. Later calls return the last value. If the last value is older
 * than `freshMs`, such a call also starts a new reading in the background. If that reading fails, the last value is kept.
 */
function createCache<Value>(
  clock: HostParts['context']['clock'],
  freshMs: number,
  read: () => Promise<Value>,
): () => Promise<Value> {
  let last: { readonly value: Value; readonly atMs: number } | null = null;
  let reading: Promise<Value> | null = null;
  const refresh = (): Promise<Value> =>
    (reading ??= read()
      .then((value) => {
        last = { value, atMs: clock.monotonicMs() };
        return value;
      })
      .finally(() => (reading = null)));
  return () => {
    if (last === null) return refresh();
    const { value, atMs } = last;
    if (clock.monotonicMs() - atMs >= freshMs) refresh().catch(() => undefined);
    return Promise.resolve(value);
  };
}
