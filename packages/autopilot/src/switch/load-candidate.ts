import type { LoadConfig, SelectionPolicy } from '@mai/memory-ledger';
import type { Requirement } from '@mai/selector';
import { leastContextTokens } from '../assemble/ladder.js';
import { chooseIdentifier } from '../assemble/ownership.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import { throwIfAborted } from '../ports/clock.js';
import type { RuntimeInstance, RuntimeLoadResult } from '../ports/runtime-port.js';
import { poolsOverHardLimit } from './hard-limit.js';
import { asLoadFailure, errorCode, type LoadFailure } from './load-failure.js';
import type { EmitRunEvent } from './run-event.js';
import { settleMemory } from './settle-memory.js';

/** Cleaning up must not hang on the fault that made it necessary. */
const CLEAN_UP_TIMEOUT_MS = 10_000;

/** What all the loads of a run have in common. */
export interface LoadContext {
  readonly deviceIdentifier: string | null;
  readonly policy: SelectionPolicy;
  readonly timeoutMs: number | null;
  readonly emit: EmitRunEvent;
  readonly signal: AbortSignal | null;
}

/** One load. */
export interface LoadTask extends LoadContext {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly ttlMs: number | null;
  readonly requirement: Requirement;
  /** The name to give it; null finds a free one of ours. */
  readonly identifier: string | null;
}

/** Either an instance that is what was needed, or the reason why there is none. */
export type LoadOutcome =
  | { readonly instance: RuntimeInstance; readonly failure: null }
  | { readonly instance: null; readonly failure: LoadFailure };

/**
 * Loads one candidate and checks what came of it: the context that was asked for, and memory below
 * the hard limit. Whatever is not fit for use, or half loaded, is gone when this returns or throws.
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
    throwIfAborted(task.signal);
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
    const failure =
      checkContext(task, result.instance) ??
      checkMemory(task, poolsOverHardLimit(resources, task.policy));
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
    ...callOptions(task.signal, task.timeoutMs),
    modelKey,
    loadConfig,
    identifier,
    ttlMs: task.ttlMs,
    deviceIdentifier: task.deviceIdentifier,
    onProgress: report,
  });
}

/** LM Studio refits the context silently; less than asked is fine as long as it is enough. */
function checkContext(task: LoadTask, instance: RuntimeInstance): LoadFailure | null {
  const asked = task.loadConfig.contextLengthTokens;
  const got = instance.contextLengthTokens;
  const required = task.requirement.minContextLengthTokens;
  const least = asked === null ? required : leastContextTokens(asked, required);
  if (least === null || got === null || got >= least) return null;
  return {
    modelKey: task.modelKey,
    loadConfig: task.loadConfig,
    code: 'CONTEXT_TOO_SMALL',
    message: `${task.modelKey} was loaded with ${got} tokens of context; less than ${least} is of no use.`,
  };
}

function checkMemory(task: LoadTask, pools: readonly string[]): LoadFailure | null {
  if (pools.length === 0) return null;
  return {
    modelKey: task.modelKey,
    loadConfig: task.loadConfig,
    code: 'MEMORY_EXCEEDED',
    message: `With ${task.modelKey} loaded ${pools.join(' and ')} passed the hard limit.`,
  };
}

/**
 * Makes sure that nothing answers to `identifier`. Runs on after a cancellation; where even that
 * fails the runtime can't be reached, and the fault that brought us here says so.
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
