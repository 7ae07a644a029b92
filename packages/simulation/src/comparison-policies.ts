import { IDENTIFIER_PREFIX } from '@mai/autopilot';
import { exceeds, plus, type Demand } from './pools.js';
import type { SimulatedMachine } from './simulated-machine.js';
import { configOfRung, type SimulatedModel } from './simulated-model.js';

/**
 * - `mai`: this package.
 * - `static`: the largest that fits within the limits at the start, for good.
 * - `naive`: every second the largest that fits under the percentage limits, no hysteresis.
 * - `lru-evict`: the preferred model on request, unloaded after five idle minutes; as Ollama documents it
 *   (docs/faq.md: OLLAMA_KEEP_ALIVE is 5 minutes; a model that does not fit waits until others are idle).
 * - `jit-last`: the preferred model on request where the guardrails let it pass, unloaded after sixty idle
 *   minutes; as LM Studio documents just-in-time loading and its idle TTL.
 */
export type PolicyName = 'mai' | 'static' | 'naive' | 'lru-evict' | 'jit-last';

/** A policy at work. */
export interface RunningPolicy {
  onRequest(): void;
  /** Resolves when nothing of it is under way. */
  stop(): Promise<void>;
}

const ROUND_MS = 1000;
const OLLAMA_KEEP_ALIVE_MS = 300_000;
const LM_STUDIO_IDLE_TTL_MS = 3_600_000;

/** Starts one of the policies that are not `mai`. */
export function startComparison(
  name: Exclude<PolicyName, 'mai'>,
  machine: SimulatedMachine,
): RunningPolicy {
  const stop = new AbortController();
  let wanted = false;
  let chosen: SimulatedModel | null = null;
  const decide = (): SimulatedModel | null | 'keep' => {
    switch (name) {
      case 'static':
        chosen ??= largestThatFits(machine, machine.bounds.limit);
        return chosen;
      case 'naive':
        return largestThatFits(machine, machine.bounds.limit);
      case 'lru-evict':
        return onDemand(machine, wanted, OLLAMA_KEEP_ALIVE_MS);
      case 'jit-last':
        return onDemand(machine, wanted, LM_STUDIO_IDLE_TTL_MS);
    }
  };
  const rounds = async (): Promise<void> => {
    for (;;) {
      try {
        const target = decide();
        wanted = false;
        if (target !== 'keep') await become(machine, target, stop.signal);
      } catch {
        // A load that failed or an LM Studio that is away: the next round tries again.
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
      wanted = true;
    },
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

/** Loads `target` in place of what is there; what is busy is let finish first. */
async function become(
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
    loadConfig: configOfRung(target, 0, machine.hasGpu),
    identifier: `${IDENTIFIER_PREFIX}${modelKey}`,
    ttlMs: null,
    deviceIdentifier: null,
    onProgress: () => undefined,
    signal,
  });
}

function onDemand(
  machine: SimulatedMachine,
  wanted: boolean,
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
  if (!wanted || preferred === undefined) return 'keep';
  return fits(machine, preferred, machine.bounds.hard) ? preferred : 'keep';
}

function largestThatFits(machine: SimulatedMachine, limits: Demand): SimulatedModel | null {
  return machine.models.find((model) => fits(machine, model, limits)) ?? null;
}

function fits(machine: SimulatedMachine, model: SimulatedModel, limits: Demand): boolean {
  return !exceeds(plus(machine.demandOfOthers(), machine.demandOf(model)), limits);
}
