import { field } from '../field.js';
import type {
  EngineDevice,
  FromInspector,
  GgufMetadata,
  InspectRequest,
} from '../process/inspect-messages.js';
import { type LlamaContextClass, loadBinding } from './llama-door.js';

/** Long lists of the tokenizer, which are not read. */
const LISTS = ['tokens', 'scores', 'token_type', 'merges'].map((list) => `tokenizer.ggml.${list}`);

/** Process that names llama.cpp's devices and reads the metadata of GGUF files. It ends after the answers. */
function main(): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ files }: InspectRequest) => {
    void inspect(files).then(() => process.exit(0));
  });
}

async function inspect(files: readonly string[]): Promise<void> {
  const binding = loadBinding(true);
  // The parent has found the package, so its files are damaged. Without an answer, files count as unreadable.
  if ('reason' in binding) return;
  const { LlamaContext } = binding;
  await answer({ type: 'devices', devices: devicesOf(LlamaContext.getBackendDevicesInfo()) });
  for (const file of files) {
    await answer({ type: 'file', file, metadata: await metadataOf(LlamaContext, file) });
  }
}

async function metadataOf(
  LlamaContext: LlamaContextClass,
  file: string,
): Promise<GgufMetadata | null> {
  try {
    return await LlamaContext.loadModelInfo(file, LISTS);
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
