import type { Pool } from '@mai/memory-ledger';
import type { SimulatedInstance } from './simulated-instance.js';

/** Is called when something happens on a machine. */
export interface MachineObserver {
  onLoaded(): void;
  /** @param poolsBefore - the pools with the instance still in them. */
  onUnloaded(instance: SimulatedInstance, poolsBefore: readonly Pool[]): void;
  /** LM Studio went down, with all of its instances. */
  onLost(lost: readonly SimulatedInstance[]): void;
  /** @param served - the instance that answers; `null` where none is ready. */
  onRequest(served: SimulatedInstance | null): void;
  /** LM Studio was asked what is loaded. */
  onQuery(): void;
}
