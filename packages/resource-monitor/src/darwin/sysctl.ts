import type { PressureSnapshot } from '../snapshot.js';

const BYTES_PER_MIB = 1024 * 1024;

/** The names to query. sysctl(8) prints a line on stderr for each name that the system does not know. */
export const SYSCTL_NAMES = [
  'vm.swapusage',
  'kern.memorystatus_vm_pressure_level',
  'iogpu.wired_limit_mb',
  'debug.iogpu.wired_limit',
] as const;

/** The values; null for a value that the system does not have. */
export interface Sysctl {
  readonly swapTotalBytes: number | null;
  readonly swapFreeBytes: number | null;
  readonly pressureLevel: PressureSnapshot['level'];
  /** The limit for memory wired by the GPU, if the user has set one. */
  readonly wiredLimitBytes: number | null;
}

/** The levels by kernel value: DISPATCH_MEMORYPRESSURE_NORMAL is 1, _WARN is 2, _CRITICAL is 4. */
const LEVELS: Readonly<Record<string, PressureSnapshot['level']>> = {
  '1': 'normal',
  '2': 'warning',
  '4': 'critical',
};

/** Reads the lines `name: value`. */
export function parseSysctl(text: string): Sysctl {
  const value = (name: string): string | null =>
    new RegExp(`^${name.replaceAll('.', '\\.')}: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? null;
  const swap = value('vm.swapusage') ?? '';
  // Sonoma and later use the first name. Ventura uses the second name. Zero means the system's default.
  const limit = Number(value('iogpu.wired_limit_mb') ?? 0) * BYTES_PER_MIB;
  const olderLimit = Number(value('debug.iogpu.wired_limit') ?? 0);
  return {
    swapTotalBytes: sizeOf(swap, 'total'),
    swapFreeBytes: sizeOf(swap, 'free'),
    pressureLevel: LEVELS[value('kern.memorystatus_vm_pressure_level') ?? ''] ?? null,
    wiredLimitBytes: limit > 0 ? limit : olderLimit > 0 ? olderLimit : null,
  };
}

/** Reads one size of `total = 2048.00M  used = 1470.06M  free = 577.94M  (encrypted)`. */
function sizeOf(text: string, word: string): number | null {
  const match = new RegExp(`\\b${word} = ([\\d.]+)M`).exec(text)?.[1];
  return match === undefined ? null : Math.round(Number(match) * BYTES_PER_MIB);
}

const SMALL_MAC_BYTES = 32 * 1024 ** 3;

/**
 * The memory that the GPU may wire by default: Metal's recommendedMaxWorkingSetSize. Until macOS 15 it was two
 * thirds of RAM on machines with up to 32 GB, and three quarters on larger machines. macOS 26 allows more (11.8
 * of 16 GB, 107.5 of 128 GB). This function returns the smaller share, so that the total is never too large. LM
 * Studio's survey has Metal's exact figure.
 */
export function defaultWiredLimit(totalBytes: number): number {
  return Math.floor(totalBytes * (totalBytes <= SMALL_MAC_BYTES ? 2 / 3 : 3 / 4));
}
