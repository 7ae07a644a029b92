import { IDENTIFIER_PREFIX } from '@mai/autopilot';
import { fits, HARD_LIMIT, LIMIT, type Limit } from '@mai/memory-ledger';
import { configOfLoadOption } from '../machine/load-configs.js';
import type { SimulatedMachine } from '../machine/simulated-machine.js';
import type { SimulatedModel } from '../machine/simulated-model.js';
import type { PolicyName, RunningPolicy } from './policy.js';

const ROUND_MS = 1000;
const OLLAMA_KEEP_ALIVE_MS = 300_000;
const LM_STUDIO_IDLE_TTL_MS = 3_600_000;

/** Starts a policy to compare `mai` with. */
export function startComparison(
  name: Exclude<PolicyName, 'mai'>,
  machine: SimulatedMachine,
): RunningPolicy {
  const stop = new AbortController();
  let requested = false;
  let chosen: SimulatedModel | null = null;
  const decide = (): SimulatedModel | null | 'keep' => {
    switch (name) {
      case 'static':
        chosen ??= firstThatFits(machine);
        return chosen;
      case 'naive':
        return firstThatFits(machine);
      case 'lru-evict':
        return onDemand(machine, requested, OLLAMA_KEEP_ALIVE_MS);
      case 'jit-last':
        return onDemand(machine, requested, LM_STUDIO_IDLE_TTL_MS);
    }
  };
  const rounds = async (): Promise<void> => {
    for (;;) {
      try {
        const target = decide();
        requested = false;
        if (target !== 'keep') await replaceWith(machine, target, stop.signal);
      } catch {
        // The load failed, or LM Studio is down. The next round tries again.
      }
      if (stop.signal.aborted) return;
      try {
        await machine.clock.sleep(ROUND_MS, { signal: stop.signal });
      } catch {
        return;
      }
    }
  };
  const running = rounds();
  return {
    onRequest: () => {
      requested = true;
    },
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

/**
 * Loads `target` in place of the model that the policy has loaded. Does nothing while an instance is busy.
 */
async function replaceWith(
  machine: SimulatedMachine,
  target: SimulatedModel | null,
  signal: AbortSignal,
): Promise<void> {
  const ours = [...machine.instances.values()].filter((one) => one.model !== null);
  if (machine.down || ours.some((one) => one.model === target)) return;
  if (ours.some((one) => one.requests > 0)) return;
  for (const { instanceIdentifier } of ours) machine.unload(instanceIdentifier);
  if (target === null) return;
  const { modelKey } = target.profile;
  await machine.load({
    modelKey,
    loadConfig: configOfLoadOption(target, 0, machine.hasDedicatedGpu),
    identifier: `${IDENTIFIER_PREFIX}${modelKey}`,
    ttlMs: null,
    deviceIdentifier: null,
    onProgress: () => undefined,
    signal,
  });
}

function onDemand(
  machine: SimulatedMachine,
  requested: boolean,
  keepAliveMs: number,
): SimulatedModel | null | 'keep' {
  const serving = machine.serving();
  if (serving !== null) {
    const idleSinceMs = serving.lastUsedAtMs ?? machine.clock.nowMs();
    serving.lastUsedAtMs ??= idleSinceMs;
    const idle = serving.requests === 0 && machine.clock.nowMs() - idleSinceMs >= keepAliveMs;
    return idle ? null : 'keep';
  }
  const [preferred] = machine.models;
  if (!requested || preferred === undefined) return 'keep';
  return fitsAlone(machine, preferred, HARD_LIMIT) ? preferred : 'keep';
}

function firstThatFits(machine: SimulatedMachine): SimulatedModel | null {
  return machine.models.find((model) => fitsAlone(machine, model, LIMIT)) ?? null;
}

/** Whether a model fits after every other model of ours is unloaded. */
function fitsAlone(machine: SimulatedMachine, model: SimulatedModel, limit: Limit): boolean {
  return fits(machine.pools, machine.chargeOf(model), { limit, freed: machine.ours });
}
