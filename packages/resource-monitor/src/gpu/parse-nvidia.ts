import type { GpuReading } from '../reading/figures.js';
import { usesSystemMemory } from './nvidia-products.js';

const BYTES_PER_MIB = 1024 * 1024;

/** `count` is the number of GPUs. One round of output has this number of lines. */
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

/** One line of the output: one GPU. */
export interface NvidiaLine {
  /** The number of GPUs; null where the driver does not print it. */
  readonly count: number | null;
  readonly reading: GpuReading;
}

/** How nvidia-smi prints the UUID of a GPU or of a MIG instance. For the GPU of a Jetson, it prints no prefix. */
const UUID = /^(?:(?:GPU|MIG)-|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$)/i;

/** Reads one line; null for banners, error messages and blank lines. */
export function parseNvidiaLine(line: string, nowMs: number): NvidiaLine | null {
  const parts = line.split(',').map((part) => part.trim());
  if (parts.length < FIELDS.length) return null;
  // The name is the only field that can contain a comma.
  const [count = '', uuid = '', busId = ''] = parts;
  const [total, used, free, busy] = parts.slice(-4).map(numberOf);
  const name = nameOf(parts.slice(3, -4).join(', '));
  const pciAddress = pciAddressOf(busId);
  const deviceKey = deviceKeyOf(uuid, pciAddress);
  if (deviceKey === null) return null;
  const integrated = usesSystemMemory(name);
  // An integrated GPU can use more memory than the carve-out, whose figures nvidia-smi prints.
  const known = !integrated && total != null && free != null;
  return {
    count: numberOf(count),
    reading: {
      deviceKey,
      pciAddress,
      totalIsEstimate: false,
      closed: null,
      name,
      pciId: null,
      vendor: 'nvidia',
      kind: integrated ? 'integrated' : 'discrete',
      memory: integrated ? 'shared' : 'dedicated',
      totalBytes: integrated ? null : mebibytes(total),
      usedBytes: integrated ? null : mebibytes(used),
      availableBytes: known ? mebibytes(free) : null,
      utilizationRatio: busy == null ? null : busy / 100,
      processes: null,
      readAtMonotonicMs: known ? nowMs : null,
      reasons: known ? [] : [reasonFor(integrated, parts.slice(-4))],
    },
  };
}

/** Arguments that print the processes that hold memory of each GPU. */
export const NVIDIA_PROCESS_ARGUMENTS = [
  '--query-compute-apps=gpu_uuid,pid,used_gpu_memory',
  '--format=csv,noheader,nounits',
] as const;

type Holders = { readonly processId: number; readonly bytes: number }[];

/**
 * The processes by GPU UUID. GPUs without processes have no entry. An entry is null where Windows (WDDM) hides
 * the processes' memory.
 */
export function parseNvidiaProcesses(text: string): ReadonlyMap<string, Holders | null> {
  const byGpu = new Map<string, Holders | null>();
  for (const line of text.split('\n')) {
    const [uuid = '', pid = '', used = ''] = line.split(',').map((part) => part.trim());
    if (!UUID.test(uuid)) continue;
    const processId = numberOf(pid);
    const bytes = mebibytes(numberOf(used));
    const others = byGpu.has(uuid) ? byGpu.get(uuid) : [];
    const known = others != null && processId !== null && bytes !== null;
    byGpu.set(uuid, known ? [...others, { processId, bytes }] : null);
  }
  return byGpu;
}

/** Null for `[N/A]`, `[Not Supported]`, `[GPU is lost]` and other text. */
function numberOf(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** Null for an empty field and for `[N/A]`, `[Unknown Error]` and other text in brackets. */
function nameOf(text: string): string | null {
  return text === '' || /^\[.*\]$/.test(text) ? null : text;
}

function mebibytes(value: number | null | undefined): number | null {
  return value == null ? null : value * BYTES_PER_MIB;
}

/** The UUID, or the key of the GPU in sysfs where the driver prints `[N/A]` or an error for the UUID. */
function deviceKeyOf(uuid: string, pciAddress: string | null): string | null {
  if (UUID.test(uuid)) return uuid;
  return /^\[.*\]$/.test(uuid) && pciAddress !== null ? `pci:${pciAddress}` : null;
}

/** nvidia-smi prints the PCI domain with eight digits, and the kernel prints it with four digits. */
function pciAddressOf(busId: string): string | null {
  const match = /^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])$/i.exec(busId);
  if (match === null) return null;
  const [, domain = '', rest = ''] = match;
  return `${domain.slice(-4)}:${rest}`.toLowerCase();
}

function reasonFor(integrated: boolean, printed: readonly string[]): string {
  const [total = '', , free = ''] = printed;
  if (!integrated) {
    return numberOf(free) === null
      ? `the driver prints ${free} for free memory`
      : `the driver prints ${total} for total memory`;
  }
  return numberOf(total) === null
    ? 'this GPU uses system memory, and the driver reports no figures for it'
    : `this GPU uses system memory, and the driver reports only the ${total} MiB that are set aside`;
}
