import type { Pool } from '@mai/memory-ledger';
import type { SimulatedInstance } from './simulated-instance.js';

/** Receives the events of a simulated machine. */
export interface MachineObserver {
  onLoaded(): void;
  /** @param poolsBefore - the pools before the instance is removed. */
  onUnloaded(instance: SimulatedInstance, poolsBefore: readonly Pool[]): void;
  /** LM Studio went down, with all of its instances. */
  onLost(lost: readonly SimulatedInstance[]): void;
  /** @param served - the instance that answers the request; `null` when no instance is ready. */
  onRequest(served: SimulatedInstance | null): void;
  /** LM Studio was asked for the loaded instances. */
  onQuery(): void;
}
