import type { EngineRecord } from './registry.js';

/** The part of a model's memory that a buffer holds. `state`: the state of recurrent layers. */
export type EngineBufferPart =
  'weights' | 'kv-cache' | 'state' | 'compute' | 'output' | 'projector-compute';

/** Memory that an engine has allocated for one part of a model, on one device. */
export interface EngineBuffer {
  readonly part: EngineBufferPart;
  /** llama.cpp's name of the memory: `CUDA0`, `CPU_Mapped`, `CUDA_Host`, ... */
  readonly device: string;
  /** As llama.cpp printed it: exact to 0.01 MiB. */
  readonly bytes: number;
}

/** The facts that an engine has printed about one instance. */
export interface EngineReport {
  readonly instanceIdentifier: string;
  /** The same value as `ResidentInstance.reference`. */
  readonly reference: string;
  readonly engine: { readonly name: string; readonly version: string };
  /** The engine's process. */
  readonly pid: number;
  /** One entry for each part and device. */
  readonly buffers: readonly EngineBuffer[];
  /** Layers on the GPU, the output layer included; `null`: not printed. */
  readonly offloadedLayers: { readonly onGpu: number; readonly total: number } | null;
}

// `load_tensors:        CUDA0 model buffer size =  4076.43 MiB`
const BUFFER =
  /(\w+):\s+(\S+)\s+(model|KV|RS|compute|output) buffer size\s*=\s*([\d.]+) (MiB|GiB|KiB)\s*$/;
const OFFLOADED = /load_tensors: offloaded (\d+)\/(\d+) layers to GPU\s*$/;

const PARTS: ReadonlyMap<string, EngineBufferPart> = new Map([
  ['model', 'weights'],
  ['KV', 'kv-cache'],
  ['RS', 'state'],
  ['compute', 'compute'],
  ['output', 'output'],
]);
const UNITS: ReadonlyMap<string, number> = new Map([
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);

/** The function of llama.cpp that allocates the buffers of the vision encoder. */
const PROJECTOR_SOURCE = /^(?:alloc_compute_meta|clip_\w+)$/;

/** llama.cpp prints these buffers again when it reserves them anew, so the last line counts. */
const RESERVED: ReadonlySet<EngineBufferPart> = new Set(['compute', 'projector-compute', 'output']);

/** Reads the lines about buffers that an engine printed during the load. */
export function reportOf({ reference, pid, spec, engine, facts }: EngineRecord): EngineReport {
  const sums = new Map<string, EngineBuffer>();
  let offloadedLayers: EngineReport['offloadedLayers'] = null;
  for (const line of facts.bufferLines) {
    const offloaded = OFFLOADED.exec(line);
    if (offloaded !== null) {
      offloadedLayers = { onGpu: Number(offloaded[1]), total: Number(offloaded[2]) };
    }
    const buffer = parseBuffer(line);
    if (buffer === null) continue;
    const key = JSON.stringify([buffer.part, buffer.device]);
    const before = RESERVED.has(buffer.part) ? 0 : (sums.get(key)?.bytes ?? 0);
    sums.set(key, { ...buffer, bytes: before + buffer.bytes });
  }
  return {
    instanceIdentifier: spec.instanceIdentifier,
    reference,
    engine,
    pid,
    buffers: [...sums.values()],
    offloadedLayers,
  };
}

function parseBuffer(line: string): EngineBuffer | null {
  const [, source = '', device = '', kind = '', size = '', unit = ''] = BUFFER.exec(line) ?? [];
  const part = PARTS.get(kind);
  const bytes = Math.round(Number(size) * (UNITS.get(unit) ?? Number.NaN));
  if (part === undefined || !Number.isSafeInteger(bytes)) return null;
  const isOfProjector = part === 'compute' && PROJECTOR_SOURCE.test(source);
  return { part: isOfProjector ? 'projector-compute' : part, device, bytes };
}
