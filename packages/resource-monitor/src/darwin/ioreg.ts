import type { GpuVendor } from '@mai/memory-ledger';

/** A GPU in the I/O registry. */
export interface Accelerator {
  /** The class of the GPU's driver, such as `AGXAcceleratorG13X`. */
  readonly className: string;
  readonly model: string | null;
  readonly vendor: GpuVendor | null;
  /** System memory that the GPU holds. */
  readonly allocatedBytes: number | null;
  /** Used bytes of a card's own memory. */
  readonly vramUsedBytes: number | null;
  readonly vramFreeBytes: number | null;
  readonly utilizationRatio: number | null;
}

/** Arguments that print every accelerator with its properties, without line wrapping. */
export const IOREG_ARGUMENTS = ['-r', '-d', '1', '-w', '0', '-c', 'IOAccelerator'] as const;

/**
 * Reads `ioreg -c IOAccelerator`. `Alloc system memory` is the memory that a GPU holds. `In use system memory`
 * falls towards zero while the GPU is idle, even with a model loaded.
 */
export function parseAccelerators(text: string): readonly Accelerator[] {
  return text
    .split(/^\+-o /m)
    .slice(1)
    .map((entry) => {
      const className = /<class (\w+)/.exec(entry)?.[1] ?? 'unknown';
      const statistics = /"PerformanceStatistics" = \{(.*)\}/.exec(entry)?.[1] ?? '';
      const number = (key: string): number | null => {
        const match = new RegExp(`"${escape(key)}"=(\\d+)`).exec(statistics)?.[1];
        return match === undefined ? null : Number(match);
      };
      const percent = number('Device Utilization %') ?? number('GPU Activity(%)');
      return {
        className,
        // The value is a string for Apple GPUs, and data for PCI cards: <"AMD Radeon Pro 5500M">.
        model: /"model" = <?"([^"]+)"/.exec(entry)?.[1] ?? null,
        vendor: vendorOf(className),
        allocatedBytes: number('Alloc system memory') ?? number('In use system memory'),
        vramUsedBytes: number('vramUsedBytes'),
        vramFreeBytes: number('vramFreeBytes'),
        utilizationRatio: percent === null ? null : percent / 100,
      };
    });
}

/** The driver class of the GPU of a virtual Mac on Apple silicon. Metal calls the GPU `Apple Paravirtual device`. */
const VIRTUAL_APPLE = 'AppleParavirtGPU';

/** The GPU's vendor, from the prefix of the driver class. */
function vendorOf(className: string): Accelerator['vendor'] {
  if (className.startsWith('AGX') || className === VIRTUAL_APPLE) return 'apple';
  if (className.startsWith('AMD')) return 'amd';
  if (className.startsWith('Intel')) return 'intel';
  return /^(NV|Gef)/i.test(className) ? 'nvidia' : null;
}

function escape(text: string): string {
  return text.replace(/[()%]/g, '\\$&');
}
