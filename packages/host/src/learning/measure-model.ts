import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import { assembleSelectionInput } from '@mai/autopilot';
import type {
  Engine,
  EstimateSettings,
  MeasureOutcome,
  MeasurePorts,
  MemoryReading,
} from '@mai/memory-estimator';
import { measureFootprint, NO_SETTINGS } from '@mai/memory-estimator';
import { keyThatLoads } from '@mai/model-config';
import type { ResourceMonitor } from '@mai/resource-monitor';
import { readPrivateMemory } from '@mai/resource-monitor';
import { changesOf, isHypothetical } from '../estimates/estimate-settings.js';
import { HostError } from '../host-error.js';
import { withLoadConfig } from '../catalog/catalog.js';
import type { RuntimeClient } from '../runtime/runtime-client.js';
import type { Session } from '../session/session.js';
import {
  engineOf,
  openMeasurements,
  privateMemoryOf,
  storeMeasurement,
} from '../footprints/calibration.js';

/** A request to measure a model. */
export interface MeasureRequest {
  /** `key@variant` names a quantization. */
  readonly modelKey: string;
  /**
   * Settings that replace the settings of the model's configuration. LM Studio must be able to load with each
   * of them.
   */
  readonly settings?: Partial<EstimateSettings>;
  /** Called with the loaded part of the model, 0 to 1. */
  readonly onProgress?: (ratio: number) => void;
}

/** The measured memory of a load, beside its estimate. */
export interface MeasureReport {
  /** The key that was loaded: for the key of the selected variant, the key of its model. */
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly engine: Engine;
  readonly predicted: Footprint;
  readonly outcome: MeasureOutcome;
}

/**
 * Loads a model, lets it generate once, measures, unloads, and keeps the result for later estimates.
 * @throws HostError `INVALID_REQUEST` where this process cannot measure the load; LMStudioError where LM Studio
 *   refuses the load
 */
export async function measureModel(
  session: Session,
  { modelKey: asked, settings = {}, onProgress = () => undefined }: MeasureRequest,
): Promise<MeasureReport> {
  const { context, link, parts } = session;
  const { signal, timeoutMs } = context;
  if (link.kind === 'off') throw link.reason;
  const wanted = { ...NO_SETTINGS, ...settings };
  if (isHypothetical(wanted)) {
    throw new HostError(
      'INVALID_REQUEST',
      'Only settings that a load takes can be measured: context length, KV cache types, flash attention and parallel sequences.',
    );
  }
  const { client } = link;
  const monitor = parts.monitor.own;
  if (!client.host.isLocal) {
    throw new HostError(
      'INVALID_REQUEST',
      'Only loads on this machine can be measured, but LM Studio runs on another machine. Run mai on that machine.',
    );
  }
  if (monitor === null) {
    throw new HostError(
      'INVALID_REQUEST',
      'A host that was opened with a resource monitor of its caller cannot measure loads. Open it without the option monitor.',
    );
  }
  const { model } = await client.modelInfo(asked, { signal });
  const isVariant = model.variants.includes(asked);
  const modelKey = isVariant ? keyThatLoads(asked, [model]) : model.modelKey;
  const keys = { modelKey, baseKey: model.modelKey };
  const { loadConfig, predicted } = await predict(session, keys, changesOf(wanted));
  const expected = privateMemoryOf(predicted);
  const engine = (await engineOf(link, signal)) ?? { name: 'unknown', version: 'unknown' };
  const identifier = `mai/measure/${modelKey}`;
  const callOptions = { signal, ...(timeoutMs === null ? {} : { timeoutMs }) };
  const ports: MeasurePorts = {
    load: async () => {
      await client.load({
        modelKey,
        kind: model.kind,
        loadConfig,
        identifier,
        ttlMs: null,
        // Load on this machine, because only its memory can be measured.
        deviceIdentifier: null,
        onProgress,
        ...callOptions,
      });
    },
    generate: async () => {
      const { promptTokens, timeToFirstTokenMs } = await client.warmUp(identifier, callOptions);
      if (promptTokens === null || timeToFirstTokenMs === null) return;
      // The model was just loaded, so no part of the prompt was in its cache.
      await (
        await parts.learner()
      ).answered({
        modelKey,
        instanceIdentifier: identifier,
        output: null,
        depthTokens: promptTokens,
        prompt: { tokens: promptTokens, ms: timeToFirstTokenMs },
      });
    },
    unload: () => unloadIfThere(client, identifier),
    settle: () => settledReading(monitor, signal),
    expected,
  };
  const outcome = await measureFootprint(ports, signal);
  if (outcome.measured !== null) {
    await storeMeasurement(openMeasurements(context), context, {
      modelKey,
      loadConfig,
      engine,
      predicted: expected,
      measured: outcome.measured,
    });
  }
  return { modelKey, loadConfig, engine, predicted, outcome };
}

/** The load configuration that a decision would try first, and its estimated footprint. */
async function predict(
  { ports, catalog, context }: Session,
  { modelKey, baseKey }: { readonly modelKey: string; readonly baseKey: string },
  changes: Partial<LoadConfig>,
): Promise<{ readonly loadConfig: LoadConfig; readonly predicted: Footprint }> {
  const { profiles, portOf } = await catalog();
  const chain = profiles
    // A variant is configured by the key of its model.
    .filter((profile) => profile.modelKey === baseKey)
    .map((profile) => ({ ...withLoadConfig(profile, changes), modelKey }));
  const { candidates } = await assembleSelectionInput(
    { ...ports, catalog: portOf(chain) },
    { tradeOffs: false },
    { signal: context.signal },
  );
  const option = candidates[0]?.loadOptions[0];
  if (option?.footprint == null) {
    throw new HostError(
      'INVALID_REQUEST',
      `The memory of ${modelKey} is not known, so there is no estimate to compare a measurement with.`,
    );
  }
  return { loadConfig: option.loadConfig, predicted: option.footprint };
}

async function settledReading(
  monitor: ResourceMonitor,
  signal: AbortSignal,
): Promise<MemoryReading | null> {
  const { settled, ram, gpus, engines } = await monitor.settled({ signal });
  if (!settled) return null;
  const processIds = engines?.map(({ processId }) => processId) ?? [];
  return {
    engineAnonymousBytes: await readPrivateMemory(processIds, { signal }),
    availableRamBytes: ram.mappedCountsAsUsed ? null : ram.availableBytes,
    gpus: gpus.map(({ deviceKey, usedBytes }) => ({ deviceKey, usedBytes })),
  };
}

/** Takes no signal, because the instance must also be unloaded after a cancelled call. */
async function unloadIfThere(client: RuntimeClient, identifier: string): Promise<void> {
  const residents = await client.listResidents();
  if (residents.some(({ instanceIdentifier }) => instanceIdentifier === identifier)) {
    await client.unload(identifier);
  }
}
