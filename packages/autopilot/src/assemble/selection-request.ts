import type { LoadConfig } from '@mai/memory-ledger';
import type { Requirement } from '@mai/selector';

/** What is asked for. Everything left out asks for nothing in particular. */
export interface SelectionRequest {
  /** Name of the fallback chain; the default one without it. */
  readonly chain?: string | null;
  readonly requirement?: Requirement;
  /** The device to load on; null, the default, is the machine that the runtime runs on. */
  readonly deviceIdentifier?: string | null;
  /** Instance identifiers and model keys that are never evicted. */
  readonly pinned?: readonly string[];
  /** Instance identifiers in use by callers, counted as busy whatever the runtime says. */
  readonly leased?: readonly string[];
  /** Model keys that failed to load, with the epoch milliseconds until which they are left alone. */
  readonly coolingDownUntilMs?: Readonly<Record<string, number>>;
  /**
   * What was asked for of instances that the runtime loaded differently and that are good enough, by
   * instance identifier. Without it a model whose context was refitted would be loaded again and again.
   */
  readonly acceptedAs?: Readonly<Record<string, LoadConfig>>;
  /** False tries every model as configured only. Default true. */
  readonly ladder?: boolean;
}

/** A request with nothing left out. */
export type CompleteRequest = Required<SelectionRequest>;

/** Fills in the defaults. */
export function completeRequest(request: SelectionRequest): CompleteRequest {
  return {
    chain: request.chain ?? null,
    requirement: request.requirement ?? {
      capabilities: [],
      minContextLengthTokens: null,
      tiers: null,
    },
    deviceIdentifier: request.deviceIdentifier ?? null,
    pinned: request.pinned ?? [],
    leased: request.leased ?? [],
    coolingDownUntilMs: request.coolingDownUntilMs ?? {},
    acceptedAs: request.acceptedAs ?? {},
    ladder: request.ladder ?? true,
  };
}
