/** The script's answer, in bytes; null for figures that this Windows does not have. */
export interface WindowsSample {
  readonly id: string;
  readonly commit: { readonly usedBytes: number; readonly limitBytes: number } | null;
  readonly pageFile: { readonly totalBytes: number; readonly freeBytes: number } | null;
  readonly adapters: readonly WindowsAdapter[];
  /** The use of each adapter's memory, by the adapter's LUID. */
  readonly usage: ReadonlyMap<
    number,
    { readonly dedicatedBytes: number; readonly sharedBytes: number }
  >;
  readonly battery: { readonly status: number; readonly chargePercent: number | null } | null;
  readonly processes: readonly WindowsProcess[] | null;
}

export interface WindowsAdapter {
  readonly name: string;
  readonly vendorId: number | null;
  readonly deviceId: number | null;
  readonly luid: number | null;
  readonly dedicatedBytes: number | null;
  readonly sharedBytes: number | null;
}

export interface WindowsProcess {
  readonly processId: number;
  readonly parentId: number;
  readonly name: string;
  readonly cpuMs: number;
  readonly residentBytes: number | null;
}

const BYTES_PER_MIB = 1024 * 1024;
/** The unit of KernelModeTime and UserModeTime is 100 ns. */
const TICKS_PER_MS = 10_000;

/** Reads one line of the script's output; null for any other text. */
export function parseWindowsSample(line: string): WindowsSample | null {
  if (!line.startsWith('{')) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  const answer = recordOf(parsed);
  const { id, battery, processes } = answer;
  if (typeof id !== 'string') return null;
  const [committed, limit] = listOf(answer['commit']).map(numberOf);
  const [status, percent] = listOf(battery).map(numberOf);
  return {
    id,
    commit: committed == null || limit == null ? null : { usedBytes: committed, limitBytes: limit },
    pageFile: addUp(listOf(answer['pageFiles'])),
    adapters: listOf(answer['adapters']).map(toAdapter),
    usage: new Map(listOf(answer['usage']).flatMap(toUsage)),
    battery: status == null ? null : { status, chargePercent: percent ?? null },
    processes: processes === undefined ? null : listOf(processes).flatMap(toProcess),
  };
}

function addUp(files: readonly unknown[]): WindowsSample['pageFile'] {
  let totalBytes = 0;
  let usedBytes = 0;
  for (const file of files) {
    const [total, used] = listOf(file).map(numberOf);
    totalBytes += (total ?? 0) * BYTES_PER_MIB;
    usedBytes += (used ?? 0) * BYTES_PER_MIB;
  }
  // If the class has no instance, Windows has no paging file: 0 bytes.
  return { totalBytes, freeBytes: totalBytes - usedBytes };
}

function toAdapter(value: unknown): WindowsAdapter {
  const { name, vendor, device, luid, dedicated, shared } = recordOf(value);
  return {
    name: typeof name === 'string' ? name : '',
    vendorId: numberOf(vendor),
    deviceId: numberOf(device),
    luid: numberOf(luid),
    dedicatedBytes: numberOf(dedicated),
    sharedBytes: numberOf(shared),
  };
}

/** The name is `luid_0x00000000_0x0001532A_phys_0`: the high and the low half of the LUID, in upper or lower case. */
function toUsage(
  value: unknown,
): [number, { readonly dedicatedBytes: number; readonly sharedBytes: number }][] {
  const { name, dedicated, shared } = recordOf(value);
  const match = /^luid_0x([0-9a-f]+)_0x([0-9a-f]+)_phys_/i.exec(
    typeof name === 'string' ? name : '',
  );
  const dedicatedBytes = numberOf(dedicated);
  const sharedBytes = numberOf(shared);
  if (match === null || dedicatedBytes === null || sharedBytes === null) return [];
  const [, high = '0', low = '0'] = match;
  const luid = Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
  return [[luid, { dedicatedBytes, sharedBytes }]];
}

function toProcess(value: unknown): WindowsProcess[] {
  const [processId, parentId, name, ticks, workingSet] = listOf(value);
  const id = numberOf(processId);
  if (id === null || typeof name !== 'string') return [];
  return [
    {
      processId: id,
      parentId: numberOf(parentId) ?? 0,
      name,
      cpuMs: (numberOf(ticks) ?? 0) / TICKS_PER_MS,
      residentBytes: numberOf(workingSet),
    },
  ];
}

/** PowerShell replaces a list of one element by that element. */
function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** 64-bit figures are sent as text, because JSON numbers may be rounded. An empty text is unknown. */
function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null;
}
