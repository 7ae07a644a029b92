import { isObject } from '../is-object.js';

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
  /** Such as `0000:03:00.0`. */
  readonly pciAddress: string | null;
  /** Null if not known, or if the GPU takes system memory as needed. */
  readonly totalBytes: number | null;
}

/** Reads the output of the child process; null for output in another format. */
export function parseInventory(text: string): MachineInventory | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { maiInventory } = value;
  return isInventory(maiInventory) ? maiInventory : null;
}

/** Checks the fields that readers use. All other fields are only shown. */
function isInventory(value: unknown): value is MachineInventory {
  return (
    isObject(value) &&
    isObject(value['cpu']) &&
    isObject(value['os']) &&
    Array.isArray(value['gpus']) &&
    value['gpus'].every(isGpu) &&
    isNullOr(value['memory'], ['totalBytes', 'availableBytes']) &&
    isNullOr(value['battery'], ['onBattery', 'chargeRatio'])
  );
}

function isGpu(value: unknown): boolean {
  return isObject(value) && ['name', 'pciAddress', 'totalBytes'].every((key) => key in value);
}

function isNullOr(value: unknown, keys: readonly string[]): boolean {
  return value === null || (isObject(value) && keys.every((key) => key in value));
}
