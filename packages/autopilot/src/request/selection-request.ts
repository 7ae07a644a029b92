import type { LoadConfig } from '@mai/memory-ledger';
import { NO_REQUIREMENT, type Requirement } from '@mai/selector';

/** The request that a decision is made for. Every field has a default. */
export interface SelectionRequest {
  /** Name of the fallback chain. Default null, the configuration's default chain. */
  readonly chain?: string | null;
  /** Only this model, which need not be in the chain. Default null, the whole chain. */
  readonly modelKey?: string | null;
  /** Default: none. */
  readonly requirement?: Requirement;
  /** The device to load on. Default null, the machine that the runtime runs on. */
  readonly deviceIdentifier?: string | null;
  /** Instance identifiers and model keys that are never evicted. Default none. */
  readonly pinned?: readonly string[];
  /** Identifiers of leased instances, which count as busy. Default none. */
  readonly leased?: readonly string[];
  /** Model keys that failed to load, with the epoch milliseconds until which they are not tried. */
  readonly coolingDownUntilMs?: Readonly<Record<string, number>>;
  /**
   * The load configuration that was requested for an instance, by instance identifier. The runtime may have
   * shortened the context. Without this entry, a model with a shortened context would be loaded again and
   * again.
   */
  readonly acceptedAs?: Readonly<Record<string, LoadConfig>>;
  /** Whether cheaper load options are tried. False tries every model only as configured. Default true. */
  readonly tradeOffs?: boolean;
}

/** A request with its defaults filled in. */
export type CompleteRequest = Required<SelectionRequest>;

/** Fills in the defaults. */
export function completeRequest(request: SelectionRequest): CompleteRequest {
  return {
    chain: request.chain ?? null,
    modelKey: request.modelKey ?? null,
    requirement: request.requirement ?? NO_REQUIREMENT,
    deviceIdentifier: request.deviceIdentifier ?? null,
    pinned: request.pinned ?? [],
    leased: request.leased ?? [],
    coolingDownUntilMs: request.coolingDownUntilMs ?? {},
    acceptedAs: request.acceptedAs ?? {},
    tradeOffs: request.tradeOffs ?? true,
  };
}
