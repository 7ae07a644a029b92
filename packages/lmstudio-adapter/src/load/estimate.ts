import type { LoadConfig } from '@mai/memory-ledger';
import { isLMStudioError, LMStudioError } from '../errors.js';
import { isCallFault } from '../wire/call-fault.js';
import { type Connection, deadlineOf, withLMStudioErrors } from '../wire/connection.js';
import type { CallOptions, Deadline } from '../wire/deadline.js';
import { loadConfigProblem, toWireLoadConfig } from '../wire/load-config-wire.js';
import type { ModelKind } from '../wire/wire.js';
import { loadFailure } from './load-failure.js';
import { resolveEstimateTarget, type Target } from './resolve-target.js';

/**
 * LM Studio's own estimate for a model with a load configuration. It includes weights and context
 * but no compute buffers, and may be too high or too low.
 */
export interface ResourceEstimate {
  readonly confidence: 'high' | 'low';
  readonly weightsBytes: number;
  readonly contextBytes: number;
  /** RAM and VRAM together. */
  readonly totalBytes: number;
  readonly weightsVramBytes: number;
  readonly contextVramBytes: number;
  readonly totalVramBytes: number;
  /** Whether LM Studio's guardrails would let the model load. */
  readonly passesGuardrails: boolean;
}

/** Options of an estimate, besides the model and its load configuration. */
export interface EstimateOptions extends CallOptions {
  /** Kind of the model. Default: the kind in the list of downloaded models. */
  readonly kind?: ModelKind | undefined;
  /** Lock the weights in memory (mlock). `null` (default): LM Studio chooses. */
  readonly keepModelInMemory?: boolean | null | undefined;
  /** LM Link device; `null`: LM Studio's own machine. Left out: chosen as for a load. */
  readonly deviceIdentifier?: string | null | undefined;
}

/** The settings of an estimate. */
export interface EstimateSettings {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly keepModelInMemory: boolean | null;
}

/**
 * Estimates a model by its key. `null` where this LM Studio cannot estimate, or refuses to estimate
 * this model.
 * @throws LMStudioError `MODEL_NOT_FOUND`; `LOAD_REFUSED` for a configuration that LM Studio does
 * not have.
 */
export async function estimateModel(
  connection: Connection,
  modelKey: string,
  loadConfig: LoadConfig,
  options: EstimateOptions = {},
): Promise<ResourceEstimate | null> {
  const deadline = deadlineOf(connection, options);
  const { kind = null, deviceIdentifier, keepModelInMemory = null } = options;
  const asked = { modelKey, kind, deviceIdentifier };
  const target = await resolveEstimateTarget(connection, asked, deadline);
  const settings = { modelKey, loadConfig, keepModelInMemory };
  return withLMStudioErrors(connection, `estimate ${modelKey}`, async () => {
    try {
      return await estimate(connection, settings, target, deadline);
    } catch (error) {
      if (!isCallFault(error, 'answered')) throw error;
      const load = { modelKey, identifier: modelKey };
      const failure = loadFailure(error, connection, load, target);
      if (isLMStudioError(failure) && failure.code === 'MODEL_NOT_FOUND') throw failure;
      // LM Studio refuses to estimate this model, because it has no engine for the format or refuses the key.
      return null;
    }
  });
}

/** Asks for the estimate of a known model; `null` where this LM Studio cannot estimate. */
export async function estimate(
  connection: Connection,
  { modelKey, loadConfig, keepModelInMemory }: EstimateSettings,
  { kind, wireKey, deviceIdentifier }: Target,
  deadline: Deadline,
): Promise<ResourceEstimate | null> {
  const problem = loadConfigProblem(loadConfig);
  if (problem !== null) throw impossibleLoad(modelKey, problem);
  const config = toWireLoadConfig(kind, loadConfig, keepModelInMemory);
  const asked = await connection.pool.readIfAvailable(
    deadline.spec(kind, 'estimateModelUsage'),
    (wire) => wire.estimateModelUsage(kind, wireKey, config, deviceIdentifier),
  );
  if (asked === null) return null;
  const { memory, passesGuardrails } = asked.value;
  return {
    confidence: memory.confidence,
    weightsBytes: memory.modelBytes,
    contextBytes: memory.contextBytes,
    totalBytes: memory.totalBytes,
    weightsVramBytes: memory.modelVramBytes,
    contextVramBytes: memory.contextVramBytes,
    totalVramBytes: memory.totalVramBytes,
    passesGuardrails,
  };
}

/** The error for a request that LM Studio can never carry out. */
export function impossibleLoad(modelKey: string, problem: string): LMStudioError {
  return new LMStudioError('LOAD_REFUSED', `${modelKey} cannot be loaded like this: ${problem}.`, {
    modelKey,
  });
}
