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
  /** The engine answers a request, so the load has ended. */
  | { readonly kind: 'ended' }
  /** The engine creates a context. A model with a draft model has two contexts. */
  | { readonly kind: 'context' };

/** llama.cpp's prefix of a log event, where it is switched on: the time and the level. */
const PREFIX = '^(?:\\d[\\d.]* [DIWE] )?';

// A line in which llama.cpp prints the size of a buffer, such as
// `load_tensors:        CUDA0 model buffer size =  4076.43 MiB`. Only llama.cpp's own names of functions and devices
// match, because a prompt in the log may contain a similar line.
const BUFFER = new RegExp(
  PREFIX +
    /(load_tensors|llm_load_tensors|llama_\w+|sched_reserve|alloc_compute_meta|clip_\w+):\s+((?:CPU|CUDA|ROCm|HIP|MUSA|Vulkan|Metal|MTL|SYCL|OpenCL|CANN|Kompute|WebGPU|BLAS|AMX)\d*(?:_\w+)?)\s+(model|KV|RS|compute|output) buffer size\s*=\s*([\d.]+) (MiB|GiB|KiB)\s*$/
      .source,
);
const OFFLOADED = new RegExp(
  PREFIX + /load_tensors: offloaded (\d+)\/(\d+) layers to GPU\s*$/.source,
);
const CONTEXT = new RegExp(PREFIX + /llama_context: constructing llama_context\s*$/.source);

/** Lines of llama.cpp's functions that load a model, and of the functions that they call. */
const LOADING = new RegExp(
  PREFIX +
    /(?:srv\s+load_model|load|load_\w+|llm_load_\w+|llama_\w+|print_info|sched_reserve|graph_reserve|alloc_compute_meta|warmup|create_\w+|init_\w+|set_\w+|ggml_\w+|common_\w+|clip_\w+|mtmd_\w+):/
      .source,
);
/** Lines that llama.cpp's server prints while it answers a request. */
const ANSWERING = new RegExp(PREFIX + /(?:slot|srv|que)\s/.source);

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
 *
 * It is not known whether LM Studio sends several events of the engine in one message, and whether it splits an event
 * at its line ends. So a message of several lines is read only if each of them is a line of a load. Any other message
 * of several lines may be a prompt that quotes such lines, and a load prints no prompt.
 */
export function parseEngineLines(message: string): readonly EngineFact[] {
  const lines = message.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.every((line) => LOADING.test(line)))
    return lines.flatMap((line) => parseLine(line) ?? []);
  const [first = ''] = lines;
  return lines.length > 1 || ANSWERING.test(first) ? [{ kind: 'ended' }] : [];
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
