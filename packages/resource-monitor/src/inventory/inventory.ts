/** The hardware of a machine; null for facts that systeminformation does not have. */
export interface MachineInventory {
  readonly cpu: { readonly name: string | null; readonly physicalCores: number | null };
  readonly os: { readonly name: string | null; readonly release: string | null };
  readonly gpus: readonly InventoryGpu[];
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number } | null;
  readonly battery: { readonly onBattery: boolean; readonly chargeRatio: number | null } | null;
}

/** A graphics controller, as the operating system's tools list it. */
export interface InventoryGpu {
  readonly name: string | null;
  readonly vendor: string | null;
  /** As in `0000:03:00.0`. */
  readonly pciAddress: string | null;
  /** Null if not known, or if the GPU takes system memory as needed. */
  readonly totalBytes: number | null;
}

/** Reads what the child printed; null for anything else. */
export function parseInventory(text: string): MachineInventory | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('maiInventory' in value)) return null;
  return value.maiInventory as MachineInventory;
}
