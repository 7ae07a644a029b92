import { field } from '../field.js';
import type {
  EngineDevice,
  FromInspector,
  GgufMetadata,
  InspectRequest,
} from '../machine/inspect-messages.js';
import {
  type ContextOptions,
  type LlamaContextClass,
  loadBinding,
  TOKENIZER_LISTS,
} from '../engine/llama-door.js';

/** A context that takes hardly any memory. */
const SMALL_CONTEXT: Omit<ContextOptions, 'model'> = {
  n_ctx: 64,
  n_batch: 32,
  n_ubatch: 32,
  n_parallel: 1,
  n_threads: 1,
  n_gpu_layers: 0,
  n_cpu_moe: 0,
  flash_attn_type: 'off',
  cache_type_k: 'f16',
  cache_type_v: 'f16',
  ctx_shift: false,
  kv_unified: true,
  swa_full: false,
  use_mmap: true,
  use_mlock: false,
  embedding: false,
};

/** Process that names llama.cpp's devices and build, and reads the metadata of GGUF files. It ends after the answers. */
function main(): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (request: InspectRequest) => {
    void inspect(request).then(() => process.exit(0));
  });
}

async function inspect({ files, smallModel }: InspectRequest): Promise<void> {
  const binding = loadBinding(true);
  // The parent has found the package, so its files are damaged. Without an answer, files count as unreadable.
  if ('reason' in binding) return;
  const { LlamaContext } = binding;
  await answer({ type: 'devices', devices: devicesOf(LlamaContext.getBackendDevicesInfo()) });
  for (const file of files) {
    await answer({ type: 'file', file, metadata: await metadataOf(LlamaContext, file) });
  }
  if (smallModel !== null) {
    // The binding gives this text only for a loaded model.
    const context = new LlamaContext({ ...SMALL_CONTEXT, model: smallModel });
    await answer({ type: 'system-info', systemInfo: context.getSystemInfo() });
  }
}

async function metadataOf(
  LlamaContext: LlamaContextClass,
  file: string,
): Promise<GgufMetadata | null> {
  try {
    return await LlamaContext.loadModelInfo(file, TOKENIZER_LISTS);
  } catch {
    // llama.cpp refuses the file, and the binding gives no reason.
    return null;
  }
}

function devicesOf(json: string): readonly EngineDevice[] {
  const devices: unknown = JSON.parse(json);
  if (!Array.isArray(devices)) return [];
  return devices.map((device: unknown) => {
    const bytes = field(device, 'maxMemorySize');
    return {
      backend: String(field(device, 'backend')),
      type: String(field(device, 'type')),
      name: String(field(device, 'deviceName')),
      totalBytes: typeof bytes === 'number' && bytes > 0 ? bytes : null,
    };
  });
}

/** Resolves when the message is sent, so that the process does not end before. */
function answer(message: FromInspector): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, () => resolve());
  });
}

main();
