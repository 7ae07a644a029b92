import type { AssembledInput, AssemblyFacts } from './join-footprints.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import type { GrowthWatch } from '../growth/growth-watch.js';

/** Adds the observations of the residents' memory to the input of a decision. */
export async function withGrowth(
  { engines, clock }: Pick<AutopilotPorts, 'engines' | 'clock'>,
  watch: GrowthWatch,
  {
    input,
    facts: { instances, resources },
    fresh,
  }: {
    readonly input: AssembledInput;
    readonly facts: AssemblyFacts;
    /** Whether the instances were listed for this decision. */
    readonly fresh: boolean;
  },
  signal: AbortSignal | null,
): Promise<AssembledInput> {
  const identifiers = input.residents.map((one) => one.instanceIdentifier);
  const processBytes =
    engines === null || identifiers.length === 0 || !resources.observable
      ? NO_PROCESSES
      : await engines.anonymousBytes(identifiers, callOptions(signal, null));
  const atMs = clock.nowMs();
  const { residents, candidates } = input;
  return {
    ...input,
    residents: watch.observe({ atMs, residents, instances, fresh, resources, processBytes }),
    candidates: candidates.map((candidate) => {
      const observedGrowth = watch.observedGrowth(candidate.modelKey, atMs);
      return observedGrowth.length === 0 ? candidate : { ...candidate, observedGrowth };
    }),
  };
}

const NO_PROCESSES: ReadonlyMap<string, number> = new Map();
