import type { PressureSnapshot } from '../snapshot.js';

const BYTES_PER_MIB = 1024 * 1024;

/** What is asked of sysctl(8). Names that a system does not know cost a line on stderr. */
export const SYSCTL_NAMES = [
  'vm.swapusage',
  'kern.memorystatus_vm_pressure_level',
  'iogpu.wired_limit_mb',
  'debug.iogpu.wired_limit',
] as const;

/** What it says; null for what it does not. */
export interface Sysctl {
  readonly swapTotalBytes: number | null;
  readonly swapFreeBytes: number | null;
  readonly pressureLevel: PressureSnapshot['level'];
  /** How much the GPU may wire, as someone set it; null where nobody did. */
  readonly wiredLimitBytes: number | null;
}

/** DISPATCH_MEMORYPRESSURE_NORMAL, _WARN and _CRITICAL. */
const LEVELS: Readonly<Record<string, PressureSnapshot['level']>> = {
  '1': 'normal',
  '2': 'warning',
  '4': 'critical',
};

/** Reads `name: value` lines, as sysctl prints them without -n. */
export function parseSysctl(text: string): Sysctl {
  const value = (name: string): string | null =>
    new RegExp(`^${name.replaceAll('.', '\\.')}: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? null;
  const swap = value('vm.swapusage') ?? '';
  // Sonoma's name first, then the one of Ventura; zero is the system's own default.
  const limit = Number(value('iogpu.wired_limit_mb') ?? 0) * BYTES_PER_MIB;
  const olderLimit = Number(value('debug.iogpu.wired_limit') ?? 0);
  return {
    swapTotalBytes: sizeOf(swap, 'total'),
    swapFreeBytes: sizeOf(swap, 'free'),
    pressureLevel: LEVELS[value('kern.memorystatus_vm_pressure_level') ?? ''] ?? null,
    wiredLimitBytes: limit > 0 ? limit : olderLimit > 0 ? olderLimit : null,
  };
}

/** `total = 2048.00M  used = 1470.06M  free = 577.94M  (encrypted)` */
function sizeOf(text: string, word: string): number | null {
  const match = new RegExp(`\\b${word} = ([\\d.]+)M`).exec(text)?.[1];
  return match === undefined ? null : Math.round(Number(match) * BYTES_PER_MIB);
}

const SMALL_MAC_BYTES = 32 * 1024 ** 3;

/**
 * How much of its memory a Mac lets the GPU wire where nobody set a limit: Metal's
 * recommendedMaxWorkingSetSize was two thirds up to 32 GB and three quarters above until macOS 15;
 * macOS 26 allows more (11.8 of 16 GB, 107.5 of 128 GB). The older, smaller share is the careful one;
 * LM Studio's survey has Metal's own figure.
 */
export function defaultWiredLimit(totalBytes: number): number {
  return Math.floor(totalBytes * (totalBytes <= SMALL_MAC_BYTES ? 2 / 3 : 3 / 4));
}
