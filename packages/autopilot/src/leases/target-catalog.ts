import type { Requirement } from '@mai/selector';
import type { CandidateProfile, CatalogPort, CatalogReading } from '../ports/catalog-port.js';
import type { Clock } from '../ports/clock.js';
import { callOptions } from '../ports/call-options.js';

/** Age from which a reading is read again in the background. */
const STALE_MS = 2000;

/** The part of a target that the catalog is asked about. */
export interface CatalogTarget {
  readonly chain: string | null;
  readonly modelKey: string | null;
}

/** Keeps the last catalog reading of each target, so that most leases need no read. */
export class TargetCatalog {
  readonly #catalog: CatalogPort;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly reading: CatalogReading; readonly atMs: number }>();
  readonly #refreshing = new Set<string>();

  constructor(catalog: CatalogPort, clock: Clock) {
    this.#catalog = catalog;
    this.#clock = clock;
  }

  /** The last reading of a target; null when it was never read, or its model is unknown. */
  recall(target: CatalogTarget): CatalogReading | null {
    return this.#known.get(keyOf(target))?.reading ?? null;
  }

  /** Reads a target, or returns the last reading and reads again in the background where that is old. */
  async find(target: CatalogTarget, signal: AbortSignal | null): Promise<CatalogReading> {
    const key = keyOf(target);
    const known = this.#known.get(key);
    if (known === undefined) return this.#read(target, signal);
    const isStale = this.#clock.monotonicMs() - known.atMs >= STALE_MS;
    if (isStale && !this.#refreshing.has(key)) {
      this.#refreshing.add(key);
      // A failed read leaves the last reading in force. The next round reads the catalog, too, and reports it.
      this.#read(target, null)
        .catch(() => undefined)
        .finally(() => this.#refreshing.delete(key));
    }
    return known.reading;
  }

  /** Takes over a reading. */
  learn(target: CatalogTarget, reading: CatalogReading): void {
    const key = keyOf(target);
    // Unknown models are not kept: callers may ask for any name.
    if (reading.chain.length === 0) this.#known.delete(key);
    else this.#known.set(key, { reading, atMs: this.#clock.monotonicMs() });
  }

  async #read(target: CatalogTarget, signal: AbortSignal | null): Promise<CatalogReading> {
    const { chain, modelKey } = target;
    const reading = await this.#catalog.read({
      ...callOptions(signal, null),
      chain,
      modelKey,
      mayAskRuntime: false,
    });
    this.learn(target, reading);
    return reading;
  }
}

function keyOf({ chain, modelKey }: CatalogTarget): string {
  return JSON.stringify([chain, modelKey]);
}

/** The profile of a model, or of the model that it is a quantization of; null when the reading has neither. */
export function profileOf(
  { chain, variants }: CatalogReading,
  modelKey: string,
): CandidateProfile | null {
  const own = chain.find((one) => one.modelKey === modelKey);
  if (own !== undefined) return own;
  const base = chain.find((one) => variants[one.modelKey]?.includes(modelKey) === true);
  return base === undefined ? null : { ...base, modelKey };
}

/** Whether a model meets a requirement at a context length; an unknown length meets no minimum. */
export function meetsRequirement(
  { capabilities, tier }: Pick<CandidateProfile, 'capabilities' | 'tier'>,
  contextLengthTokens: number | null,
  requirement: Requirement,
): boolean {
  const { minContextLengthTokens: minTokens, tiers } = requirement;
  return (
    requirement.capabilities.every((capability) => capabilities.includes(capability)) &&
    (tiers?.includes(tier) ?? true) &&
    (minTokens === null || (contextLengthTokens !== null && contextLengthTokens >= minTokens))
  );
}
