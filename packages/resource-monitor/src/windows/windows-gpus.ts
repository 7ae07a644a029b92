import { usesSystemMemory } from '../gpu/nvidia-products.js';
import type { GpuReading } from '../reading/figures.js';
import type { WindowsAdapter, WindowsSample } from './windows-sample.js';

/** PCI vendor ids. */
const VENDORS: Readonly<Record<number, GpuReading['vendor']>> = {
  0x10de: 'nvidia',
  0x1002: 'amd',
  0x8086: 'intel',
};
/** Vendor id of Microsoft's software renderer and remote display. Neither is a GPU. */
const MICROSOFT = 0x1414;
/**
 * Dedicated memory below this size is the carve-out of an integrated GPU. By default firmware sets aside less
 * memory than this, and cards that can run models have more.
 */
const SMALL_BYTES = 1024 ** 3;

/**
 * Integrated GPUs are recognized by their product names, because the registry does not distinguish them from
 * cards. The name of an integrated AMD GPU has a number with M or S, `Vega` or `RX Vega` with a number of at most
 * two digits, R with a digit, or no number. `Graphics` ends the name. After a number with M or S it may be missing
 * (`AMD Radeon(TM) 780M`). The names of mobile cards have RX or HD before such a number.
 */
const AMD_INTEGRATED =
  /radeon(\(tm\))?(( (rx )?vega \d{1,2}| r\d)? graphics| \d{3,4}[ms]( graphics)?)$/i;
/** Intel's cards are Arc A, B and Pro. An integrated Arc is called `Arc 140V` or has no number. */
const INTEL_CARD = /\barc(\(tm\))? (pro )?[ab]\d{2,}/i;

/** The adapters of the registry, with their use from the counters. */
export function describeAdapters(
  { adapters, usage }: Pick<WindowsSample, 'adapters' | 'usage'>,
  readAtMonotonicMs: number,
): readonly GpuReading[] {
  const seen = new Map<string, number>();
  return adapters
    .filter((adapter) => isPresent(adapter, usage))
    .map((adapter) => {
      const base = `dx:${hex(adapter.vendorId)}:${hex(adapter.deviceId)}`;
      const index = seen.get(base) ?? 0;
      seen.set(base, index + 1);
      const used = adapter.luid === null ? undefined : usage.get(adapter.luid);
      const memory = memoryOf(adapter, used);
      return {
        // The key does not contain the LUID, because the LUID changes with each start of Windows.
        deviceKey: index === 0 ? base : `${base}:${index}`,
        pciAddress: null,
        totalIsEstimate: false,
        closed: null,
        pciId:
          adapter.deviceId === null ? null : `${hex(adapter.vendorId)}:${hex(adapter.deviceId)}`,
        name: adapter.name === '' ? null : adapter.name,
        vendor: VENDORS[adapter.vendorId ?? 0] ?? null,
        utilizationRatio: null,
        processes: null,
        readAtMonotonicMs: memory.availableBytes === null ? null : readAtMonotonicMs,
        ...memory,
        reasons:
          memory.availableBytes === null
            ? ['the GPU Adapter Memory counters have no instance for the LUID of this GPU']
            : [],
      };
    });
}

/** The registry keeps adapters that were removed. If there are counters, only adapters with a counter are present. */
function isPresent(adapter: WindowsAdapter, usage: WindowsSample['usage']): boolean {
  if (adapter.vendorId === MICROSOFT) return false;
  return usage.size === 0 || (adapter.luid !== null && usage.has(adapter.luid));
}

type Memory = Pick<GpuReading, 'kind' | 'memory' | 'totalBytes' | 'usedBytes' | 'availableBytes'>;

function memoryOf(
  adapter: WindowsAdapter,
  used: { readonly dedicatedBytes: number; readonly sharedBytes: number } | undefined,
): Memory {
  const { dedicatedBytes, sharedBytes } = adapter;
  const integrated = isIntegrated(adapter);
  const kind = integrated ? 'integrated' : 'discrete';
  // A carve-out that is larger than the shared memory counts as dedicated memory, as on Linux.
  const small = sharedBytes !== null && (dedicatedBytes ?? 0) <= sharedBytes;
  if (integrated && (small || usesSystemMemory(adapter.name))) {
    const usedBytes = used === undefined ? null : used.dedicatedBytes + used.sharedBytes;
    const totalBytes = sharedBytes === null ? null : (dedicatedBytes ?? 0) + sharedBytes;
    return { kind, memory: 'shared', ...pool(totalBytes, usedBytes) };
  }
  const usedBytes = used?.dedicatedBytes ?? null;
  return { kind, memory: 'dedicated', ...pool(dedicatedBytes, usedBytes) };
}

function isIntegrated({ name, vendorId, dedicatedBytes }: WindowsAdapter): boolean {
  const vendor = VENDORS[vendorId ?? 0] ?? null;
  if (vendor === 'nvidia') return usesSystemMemory(name);
  if (vendor === 'intel') return !INTEL_CARD.test(name);
  if (vendor === 'amd' && AMD_INTEGRATED.test(name)) return true;
  return dedicatedBytes !== null && dedicatedBytes < SMALL_BYTES;
}

function pool(totalBytes: number | null, usedBytes: number | null) {
  const known = totalBytes !== null && usedBytes !== null;
  return {
    totalBytes,
    usedBytes,
    availableBytes: known ? Math.max(0, totalBytes - usedBytes) : null,
  };
}

function hex(id: number | null): string {
  return id === null ? '?' : id.toString(16).padStart(4, '0');
}
