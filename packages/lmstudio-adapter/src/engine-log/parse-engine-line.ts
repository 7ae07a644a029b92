/** The part of a model's memory that a buffer holds. `state`: the state of recurrent layers. */
export type EngineBufferPart =
  'weights' | 'kv-cache' | 'state' | 'compute' | 'output' | 'projector-compute';

/** A fact that one line of an engine's log states. */
export type EngineFact =
  | {
      readonly kind: 'buffer';
      readonly part: EngineBufferPart;
      /** llama.cpp's name of the memory: `CUDA0`, `CPU_Mapped`, `CUDA_Host`, ... */
      readonly device: string;
      readonly bytes: number;
    }
  | { readonly kind: 'offloaded'; readonly layersOnGpu: number; readonly layers: number }
  /** The engine creates a context. A model with a draft model has two contexts. */
  | { readonly kind: 'context' };

// llama.cpp's lines, as in `load_tensors:        CUDA0 model buffer size =  4076.43 MiB`. Only names
// that llama.cpp has are accepted: a prompt in the log could otherwise be taken for a device.
const BUFFER =
  /\b(load_tensors|llm_load_tensors|llama_\w+|sched_reserve|alloc_compute_meta|clip_\w+):\s+((?:CPU|CUDA|ROCm|HIP|MUSA|Vulkan|Metal|MTL|SYCL|OpenCL|CANN|Kompute|WebGPU|BLAS|AMX)\d*(?:_\w+)?)\s+(model|KV|RS|compute|output) buffer size\s*=\s*([\d.]+) (MiB|GiB|KiB)\s*$/;
const OFFLOADED = /\bload_tensors: offloaded (\d+)\/(\d+) layers to GPU\s*$/;
const CONTEXT = /\bllama_context: constructing llama_context\s*$/;

const PARTS: Readonly<Record<string, EngineBufferPart>> = {
  model: 'weights',
  KV: 'kv-cache',
  RS: 'state',
  compute: 'compute',
  output: 'output',
};

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** The function of llama.cpp that allocates the buffers of the vision encoder. */
const PROJECTOR_SOURCE = /^(?:alloc_compute_meta|clip_\w+)$/;

/**
 * The facts about memory in a message of the engine's log. Every other line is dropped, because it may
 * carry a prompt.
 */
export function parseEngineLines(message: string): readonly EngineFact[] {
  return message.split(/\r?\n/).flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): EngineFact | null {
  const buffer = BUFFER.exec(line);
  if (buffer !== null) {
    const [, source = '', device = '', kind = '', size = '', unit = ''] = buffer;
    const part = PARTS[kind];
    const bytes = Math.round(Number(size) * (UNITS[unit] ?? Number.NaN));
    if (part === undefined || !Number.isSafeInteger(bytes)) return null;
    const ofProjector = part === 'compute' && PROJECTOR_SOURCE.test(source);
    return { kind: 'buffer', part: ofProjector ? 'projector-compute' : part, device, bytes };
  }
  const offloaded = OFFLOADED.exec(line);
  if (offloaded !== null) {
    const [, layersOnGpu, layers] = offloaded;
    return { kind: 'offloaded', layersOnGpu: Number(layersOnGpu), layers: Number(layers) };
  }
  return CONTEXT.test(line) ? { kind: 'context' } : null;
}
