import type { GpuReading } from '../reading/figures.js';

const BYTES_PER_MIB = 1024 * 1024;

/** `count` says how many lines belong together. */
const FIELDS = [
  'count',
  'uuid',
  'pci.bus_id',
  'name',
  'memory.total',
  'memory.used',
  'memory.free',
  'utilization.gpu',
] as const;

/** Arguments that print one line for each GPU, every `intervalMs`. */
export function nvidiaArguments(intervalMs: number): string[] {
  return [
    `--query-gpu=${FIELDS.join(',')}`,
    '--format=csv,noheader,nounits',
    `--loop-ms=${intervalMs}`,
  ];
}

/** One line of the answer. */
export interface NvidiaLine {
  /** How many GPUs there are; null where the driver does not say. */
  readonly count: number | null;
  readonly reading: GpuReading;
}

/** GPUs without memory of their own, whose driver has no figures for it: Grace's little ones, Jetsons. */
const INTEGRATED_NAMES = /\b(GB10|N1X?|Thor|Orin|Xavier|Tegra)\b/i;

/** Null for anything that is not such a line: banners, errors, blank lines. */
export function parseNvidiaLine(line: string, nowMs: number): NvidiaLine | null {
  const parts = line.split(',').map((part) => part.trim());
  if (parts.length < FIELDS.length) return null;
  // The name is the only part that might hold a comma.
  const [count = '', uuid = '', busId = ''] = parts;
  const [total, used, free, busy] = parts.slice(-4).map(numberOf);
  const name = parts.slice(3, -4).join(', ');
  if (!/^(GPU|MIG)-/.test(uuid)) return null;
  const integrated = total === null && INTEGRATED_NAMES.test(name);
  const known = free !== null && free !== undefined;
  return {
    count: numberOf(count),
    reading: {
      deviceKey: uuid,
      pciAddress: pciAddressOf(busId),
      totalIsEstimate: false,
      name,
      pciId: null,
      vendor: 'nvidia',
      kind: integrated ? 'integrated' : 'discrete',
      memory: integrated ? 'shared' : 'dedicated',
      totalBytes: mebibytes(total),
      usedBytes: mebibytes(used),
      availableBytes: mebibytes(free),
      utilizationRatio: busy == null ? null : busy / 100,
      processes: null,
      readAtMonotonicMs: known ? nowMs : null,
      reasons: known ? [] : [reasonFor(integrated, parts.at(-2) ?? '')],
    },
  };
}

/** Arguments that print who holds memory of which GPU. */
export const NVIDIA_PROCESS_ARGUMENTS = [
  '--query-compute-apps=gpu_uuid,pid,used_gpu_memory',
  '--format=csv,noheader,nounits',
] as const;

type Holders = { readonly processId: number; readonly bytes: number }[];

/** By GPU, those without a process left out; null where Windows hides it (WDDM): unknown, not none. */
export function parseNvidiaProcesses(text: string): ReadonlyMap<string, Holders | null> {
  const byGpu = new Map<string, Holders | null>();
  for (const line of text.split('\n')) {
    const [uuid = '', pid = '', used = ''] = line.split(',').map((part) => part.trim());
    if (!uuid.startsWith('GPU-')) continue;
    const processId = numberOf(pid);
    const bytes = mebibytes(numberOf(used));
    const others = byGpu.has(uuid) ? byGpu.get(uuid) : [];
    const known = others != null && processId !== null && bytes !== null;
    byGpu.set(uuid, known ? [...others, { processId, bytes }] : null);
  }
  return byGpu;
}

/** `[N/A]`, `[Not Supported]`, `[GPU is lost]` and the like are no numbers; 0 is one. */
function numberOf(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

function mebibytes(value: number | null | undefined): number | null {
  return value == null ? null : value * BYTES_PER_MIB;
}

/** The driver writes the domain with eight digits, the kernel with four. */
function pciAddressOf(busId: string): string | null {
  const match = /^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])$/i.exec(busId);
  if (match === null) return null;
  const [, domain = '', rest = ''] = match;
  return `${domain.slice(-4)}:${rest}`.toLowerCase();
}

function reasonFor(integrated: boolean, printed: string): string {
  if (integrated) return 'it shares system memory, and its driver has no figures for that';
  return `its driver prints ${printed} for free memory`;
}
