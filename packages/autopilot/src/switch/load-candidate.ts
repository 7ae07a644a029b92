import type {
  Footprint,
  LoadConfig,
  ObservedResident,
  PoolName,
  SelectionPolicy,
} from '@mai/memory-ledger';
import type { Requirement } from '@mai/selector';
import { leastContextTokens } from '../assemble/load-steps.js';
import { chooseIdentifier } from '../instances/ownership.js';
import { errorCode } from '../autopilot-error.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import { throwIfAborted } from '../ports/clock.js';
import type { RuntimeInstance, RuntimeLoadResult } from '../ports/runtime-port.js';
import { poolsOverHardLimit } from '../pools/hard-limit.js';
import { asLoadFailure, type LoadFailure } from '../failures/load-failure.js';
import type { EmitRunEvent } from './report/run-event.js';
import { settleMemory } from './settle-memory.js';

/**
 * Deadline of the clean-up after a failed load. The fault that made the load fail may make the clean-up hang.
 */
const CLEAN_UP_TIMEOUT_MS = 10_000;

/** The data that all loads of a run share. */
export interface LoadContext {
  readonly deviceIdentifier: string | null;
  readonly policy: SelectionPolicy;
  /** The other residents during the load. */
  readonly residents: readonly ObservedResident[];
  readonly timeoutMs: number | null;
  readonly emit: EmitRunEvent;
  readonly signal: AbortSignal | null;
  /** Also cancels the load. Has no effect once the model is loaded. */
  readonly loadSignal: AbortSignal | null;
}

/** One load. */
export interface LoadTask extends LoadContext {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly footprint: Footprint | null;
  readonly ttlMs: number | null;
  readonly requirement: Requirement;
  /** The identifier of the new instance; null chooses a free identifier. */
  readonly identifier: string | null;
}

/** The loaded instance, or the reason why the candidate cannot be used. */
export type LoadOutcome =
  | { readonly instance: RuntimeInstance; readonly failure: null }
  | { readonly instance: null; readonly failure: LoadFailure };

/**
 * Loads one candidate and checks the instance: its context must be long enough, and no pool may be over its
 * hard limit. An instance that fails a check or whose load fails is unloaded before this returns or throws.
 */
export async function loadCandidate(ports: AutopilotPorts, task: LoadTask): Promise<LoadOutcome> {
  const { clock } = ports;
  const startedMs = clock.monotonicMs();
  const present = await ports.runtime.listResidents(callOptions(task.signal, null));
  const taken = present.map((one) => one.instanceIdentifier);
  const identifier =
    task.identifier !== null && !taken.includes(task.identifier)
      ? task.identifier
      : chooseIdentifier(task.modelKey, taken);
  let result: RuntimeLoadResult;
  try {
    throwIfAborted(task.loadSignal ?? task.signal);
    result = await load(ports, task, identifier);
    throwIfAborted(task.signal);
  } catch (error) {
    await removeLeftover(ports, identifier);
    const failure = asLoadFailure(error, task.modelKey, task.loadConfig);
    if (failure === null) throw error;
    return { instance: null, failure };
  }
  try {
    task.emit({ type: 'settling' });
    const resources = await settleMemory(ports, task.deviceIdentifier, task.signal);
    const residents = [...task.residents, { footprint: task.footprint, observation: null }];
    const failure =
      checkContext(task, result.instance) ??
      checkMemory(task, poolsOverHardLimit(resources, residents, task.policy));
    if (failure !== null) {
      await removeLeftover(ports, result.instance.instanceIdentifier);
      return { instance: null, failure };
    }
    task.emit({
      type: 'loaded',
      instance: result.instance,
      loadConfig: task.loadConfig,
      mismatches: result.verified,
      resources,
      tookMs: clock.monotonicMs() - startedMs,
    });
    return { instance: result.instance, failure: null };
  } catch (error) {
    await removeLeftover(ports, result.instance.instanceIdentifier);
    throw error;
  }
}

async function load(
  ports: AutopilotPorts,
  task: LoadTask,
  identifier: string,
): Promise<RuntimeLoadResult> {
  const { modelKey, loadConfig } = task;
  const report = (progressRatio: number): void => {
    task.emit({
      type: 'loading',
      modelKey,
      instanceIdentifier: identifier,
      loadConfig,
      progressRatio,
    });
  };
  report(0);
  return ports.runtime.load({
    ...callOptions(task.loadSignal ?? task.signal, task.timeoutMs),
    modelKey,
    loadConfig,
    identifier,
    ttlMs: task.ttlMs,
    deviceIdentifier: task.deviceIdentifier,
    onProgress: report,
  });
}

/**
 * LM Studio may silently shorten the context. A shortened context is accepted if it is still long enough.
 */
function checkContext(task: LoadTask, instance: RuntimeInstance): LoadFailure | null {
  const { modelKey, loadConfig } = task;
  const asked = loadConfig.contextLengthTokens;
  const got = instance.contextLengthTokens;
  const required = task.requirement.minContextLengthTokens;
  const least = asked === null ? required : leastContextTokens(asked, required);
  if (least === null || got === null || got >= least) return null;
  const message = `${modelKey} was loaded with ${got} tokens of context. At least ${least} are needed.`;
  return { modelKey, loadConfig, code: 'CONTEXT_TOO_SMALL', message };
}

function checkMemory(
  { modelKey, loadConfig }: LoadTask,
  pools: readonly PoolName[],
): LoadFailure | null {
  if (pools.length === 0) return null;
  const message = `With ${modelKey} loaded, ${pools.join(' and ')} is over the hard limit.`;
  return { modelKey, loadConfig, code: 'MEMORY_EXCEEDED', message };
}

/**
 * Unloads the instance with `identifier`, if there is one, also after a cancellation. An error of the runtime
 * is ignored here, because the caller already reports the fault that made the clean-up necessary.
 */
async function removeLeftover(ports: AutopilotPorts, identifier: string): Promise<void> {
  const options = callOptions(null, CLEAN_UP_TIMEOUT_MS);
  try {
    const present = await ports.runtime.listResidents(options);
    if (!present.some((one) => one.instanceIdentifier === identifier)) return;
    await ports.runtime.unload(identifier, options);
  } catch (error) {
    if (errorCode(error) === null) throw error;
  }
}
