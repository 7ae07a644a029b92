import type { HostAutopilot } from '../autopilot/host-autopilot.js';
import { refersTo } from '@mai/memory-ledger';
import { keyThatLoads } from '@mai/model-config';
import { loadConfig } from '../config/load-config.js';
import type {
  CallOptions,
  HandLoaded,
  HandUnloaded,
  JournalAnswer,
} from '../control/autopilot-service.js';
import type {
  ChangeOptions,
  EndYieldAnswer,
  LoadOptions,
  UnloadRequest,
  UnpinAnswer,
  YieldAnswer,
} from '../host.js';
import { leftOutByKey } from '../downloads/left-out-models.js';
import { withReason } from '../downloads/model-not-found.js';
import type { HostParts } from '../host-parts.js';
import { once } from '../promises/once.js';
import { notKept } from '../runtime/not-kept.js';
import { contextOfCall, listDownloadsNow, openActiveSession } from '../session/session.js';
import { checkName } from './check-name.js';
import { findPins, findYields, type UnpinRequest } from './find-in-journal.js';
import { findInstances } from './find-instances.js';
import { estimateLoads, planLoads, type EstimatedLoad, type LoadRequest } from './plan-loads.js';
import { refuseBusy } from '../autopilot/unload-refusals.js';
import { effectOfYield } from './yield-effect.js';
import { yieldOf, type YieldRequest } from './yield-request.js';

/** Loads by hand. @throws HostError `NOT_KEPT`; `INVALID_REQUEST` for an identifier that is not one line */
export async function load(
  parts: HostParts,
  autopilot: HostAutopilot,
  request: LoadRequest,
  { signal, onProgress, outlivesHost = false }: LoadOptions,
): Promise<HandLoaded> {
  const identifier = request.identifier ?? null;
  if (identifier !== null) checkName('identifier of an instance', identifier);
  const context = contextOfCall(parts.context, signal);
  // Read first, because a configuration with faults must prevent every change.
  const { config } = await loadConfig(context);
  const { runtime, client } = await parts.runtime.active(context.signal);
  const list = once(() => listDownloadsNow(parts, context.signal));
  // First the names, because another process would not help where a model does not exist.
  const loads = await planLoads(client, config, request, list, context.signal);
  if (outlivesHost && runtime === 'embedded') {
    const running = await autopilot.state({ signal: context.signal });
    if (running === null) throw notKept();
  }
  const loaded = autopilot.load(
    {
      candidates: loads.map(({ model: { modelKey, kind }, loadConfig: wanted }) => ({
        modelKey,
        kind,
        loadConfig: wanted,
      })),
      identifier,
      ttlMs: request.ttlMs ?? null,
      timeoutMs: context.timeoutMs,
    },
    {
      signal: context.signal,
      onProgress: (index, ratio) => {
        const model = loads[index]?.model;
        if (model === undefined) return;
        onProgress?.({ modelKey: model.modelKey, sizeBytes: model.sizeBytes || null, ratio });
      },
    },
  );
  return loaded.catch(async (error: unknown) => {
    context.signal.throwIfAborted();
    // LM Studio also lists damaged files, and its error does not name the damage.
    const downloads = await list().catch(() => null);
    const leftOut = downloads === null ? null : leftOutByKey(downloads);
    for (const { model } of loads) {
      const note = leftOut?.get(model.modelKey)?.note;
      if (note !== undefined) context.warn(note);
    }
    throw error;
  });
}

/** Estimates a load by hand. */
export async function estimateLoad(
  parts: HostParts,
  request: LoadRequest,
  options: CallOptions,
): Promise<readonly EstimatedLoad[]> {
  const session = await openActiveSession(parts, options);
  const { signal } = session.context;
  const link = await parts.runtime.active(signal);
  const { config } = session.config;
  const loads = await planLoads(link.client, config, request, session.downloads, signal);
  return estimateLoads(session, link, loads, signal);
}

/** Unloads by hand. */
export async function unload(
  parts: HostParts,
  autopilot: HostAutopilot,
  { target, all = false, force = false }: UnloadRequest,
  { signal, dryRun = false }: ChangeOptions,
): Promise<HandUnloaded> {
  const context = contextOfCall(parts.context, signal);
  await loadConfig(context);
  const client = await parts.runtime.client(context.signal);
  const residents = await client.listResidents({ signal: context.signal });
  const targets = findInstances(target, residents, all);
  if (dryRun) {
    if (!force) refuseBusy(targets, []);
    return { unloaded: targets, delivery: null, pinError: null };
  }
  const instanceIdentifiers = targets.map(({ instanceIdentifier }) => instanceIdentifier);
  return autopilot.unload({ instanceIdentifiers, force }, { signal: context.signal });
}

/**
 * Sets a pin. While LM Studio runs, a name that it does not know is an error. @throws HostError `INVALID_REQUEST` for a name that is
 * not one line
 */
export async function pin(
  parts: HostParts,
  autopilot: HostAutopilot,
  target: string,
  { signal, dryRun = false }: ChangeOptions,
): Promise<JournalAnswer> {
  checkName('target of a pin', target);
  const context = contextOfCall(parts.context, signal);
  const link = await parts.runtime.link(context.signal);
  const options = { signal: context.signal };
  if (link.kind === 'off') {
    context.warn(`${link.reason.message} So the name ${target} was not checked.`);
  } else {
    const residents = await link.client.listResidents(options);
    const isLoaded = residents.some(
      (one) => one.instanceIdentifier === target || refersTo(target, one),
    );
    if (!isLoaded) {
      const { models } = await link.client.listDownloaded(options);
      // Throws MODEL_NOT_FOUND with similar model keys, or with the reason why the file is not offered.
      await link.client.modelInfo(keyThatLoads(target, models), options).catch(async (error) => {
        throw await withReason(error, target, () => listDownloadsNow(parts, context.signal));
      });
    }
  }
  return dryRun
    ? { journal: await autopilot.journal(options), delivery: null }
    : autopilot.pin(target, options);
}

/** Keeps memory free. */
export async function yieldMemory(
  parts: HostParts,
  autopilot: HostAutopilot,
  request: YieldRequest,
  { signal, dryRun = false }: ChangeOptions,
): Promise<YieldAnswer> {
  const context = contextOfCall(parts.context, signal);
  const one = await yieldOf(request, context);
  const options = { signal: context.signal };
  if (!dryRun) return { ...(await autopilot.yieldMemory(one, options)), yield: one, effect: null };
  const [journal, state] = await Promise.all([
    autopilot.journal(options),
    autopilot.state(options),
  ]);
  return { journal, delivery: null, yield: one, effect: effectOfYield(one, journal.yields, state) };
}

/** Removes pins. */
export async function unpin(
  { context: { signal: own } }: HostParts,
  autopilot: HostAutopilot,
  request: UnpinRequest,
  { signal = own, dryRun = false }: ChangeOptions,
): Promise<UnpinAnswer> {
  const journal = await autopilot.journal({ signal });
  const unpinned = findPins(journal, request);
  return dryRun
    ? { journal, delivery: null, unpinned }
    : { ...(await autopilot.unpin(unpinned, { signal })), unpinned };
}

/** Ends yields. */
export async function endYield(
  { context: { signal: own } }: HostParts,
  autopilot: HostAutopilot,
  name: string | null,
  { signal = own, dryRun = false }: ChangeOptions,
): Promise<EndYieldAnswer> {
  const journal = await autopilot.journal({ signal });
  const released = findYields(journal, name);
  if (dryRun || released.length === 0) return { journal, delivery: null, released };
  const names = released.map((one) => one.name);
  return { ...(await autopilot.endYield(names, { signal })), released };
}
