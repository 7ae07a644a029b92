import { hostname } from 'node:os';
import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import { assembleSelectionInput } from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import type {
  Engine,
  MeasureOutcome,
  MeasurePorts,
  MemoryReading,
  Observation,
} from '@mai/memory-estimator';
import { measureFootprint } from '@mai/memory-estimator';
import type { ResourceMonitor } from '@mai/resource-monitor';
import { readPrivateMemory } from '@mai/resource-monitor';
import type { CommandContext } from '../context.js';
import { UsageError } from '../usage-error.js';
import { engineOf, openMeasurements } from './calibration.js';
import type { Session } from './session.js';

/** What is to be measured. */
export interface MeasureRequest {
  readonly modelKey: string;
  /** What differs from the model's configuration. */
  readonly changes: Partial<LoadConfig>;
  readonly onProgress: (ratio: number) => void;
}

/** What a load took, beside what was expected of it. */
export interface MeasureReport {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly engine: Engine;
  readonly predicted: Footprint;
  readonly outcome: MeasureOutcome;
}

/**
 * Loads a model, lets it generate once, measures, unloads, and keeps the result for later estimates.
 * @throws UsageError where LM Studio is on another machine; LMStudioError where it refuses
 */
export async function measureModel(
  session: Session,
  { modelKey, changes, onProgress }: MeasureRequest,
  context: CommandContext,
): Promise<MeasureReport> {
  const { signal, globals, io } = context;
  const { link, machine } = session;
  if (link.kind === 'off') throw link.reason;
  const { client } = link;
  if (!client.host.isLocal) {
    throw new UsageError(
      'Only loads on this machine can be measured, and LM Studio runs on another. Run mai there.',
    );
  }
  const { model } = await client.modelInfo(modelKey, { signal });
  const { loadConfig, predicted } = await predict(session, model.modelKey, changes, signal);
  const expected = { anonymousBytes: predicted.ram.anonymousBytes, gpus: predicted.gpus };
  const engine = (await engineOf(client, signal)) ?? { name: 'unknown', version: 'unknown' };
  const identifier = `mai/measure/${model.modelKey}`;
  const ports: MeasurePorts = {
    load: async () => {
      await client.load({
        modelKey: model.modelKey,
        kind: model.kind,
        loadConfig,
        identifier,
        ttlMs: null,
        signal,
        timeoutMs: globals.timeoutMs ?? undefined,
        onProgress,
      });
    },
    generate: async () => {
      await client.warmUp(identifier, { signal, timeoutMs: globals.timeoutMs ?? undefined });
    },
    unload: () => unloadIfThere(client, identifier),
    settle: () => settledReading(machine, signal),
    expected,
  };
  const outcome = await measureFootprint(ports, signal);
  if (outcome.measured !== null) {
    const observation: Observation = {
      host: hostname(),
      modelKey: model.modelKey,
      loadConfig,
      engine,
      predicted: expected,
      measured: outcome.measured,
      timestampMs: io.nowMs(),
    };
    await keep(observation, context);
  }
  return { modelKey: model.modelKey, loadConfig, engine, predicted, outcome };
}

/** A result that can't be kept is still a result. */
async function keep(observation: Observation, context: CommandContext): Promise<void> {
  const { error } = await openMeasurements(context).record(observation);
  if (error !== null) context.output.warn(`The measurement can't be kept: ${error.message}.`);
}

/** The load configuration that a decision would try first, and what it is expected to take. */
async function predict(
  { ports, catalog }: Session,
  modelKey: string,
  changes: Partial<LoadConfig>,
  signal: AbortSignal,
): Promise<{ readonly loadConfig: LoadConfig; readonly predicted: Footprint }> {
  const { profiles, portOf } = await catalog();
  const chain = profiles
    .filter((profile) => profile.modelKey === modelKey)
    .map((profile) => ({
      ...profile,
      contextLengthTokens: changes.contextLengthTokens ?? profile.contextLengthTokens,
      loadConfig: { ...profile.loadConfig, ...changes },
    }));
  const { candidates } = await assembleSelectionInput(
    { ...ports, catalog: portOf(chain) },
    { tradeOffs: false },
    { signal },
  );
  const option = candidates[0]?.loadOptions[0];
  if (option?.footprint == null) {
    throw new UsageError(`Nothing is known of what ${modelKey} takes, so nothing can be learned.`);
  }
  return { loadConfig: option.loadConfig, predicted: option.footprint };
}

async function settledReading(
  machine: ResourceMonitor,
  signal: AbortSignal,
): Promise<MemoryReading | null> {
  const { settled, ram, gpus, engines } = await machine.settled({ signal });
  if (!settled) return null;
  const processIds = engines?.map(({ processId }) => processId) ?? [];
  return {
    engineAnonymousBytes: await readPrivateMemory(processIds, { signal }),
    availableRamBytes: ram.mappedCountsAsUsed ? null : ram.availableBytes,
    gpus: gpus.map(({ deviceKey, usedBytes }) => ({ deviceKey, usedBytes })),
  };
}

/** Also after a load that failed or was cancelled, and without the signal that cancelled it. */
async function unloadIfThere(client: LMStudioClient, identifier: string): Promise<void> {
  const residents = await client.listResidents();
  if (residents.some(({ instanceIdentifier }) => instanceIdentifier === identifier)) {
    await client.unload(identifier);
  }
}
