// The llama.cpp of this machine's CPU binary; nothing is downloaded or compiled.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

/** An instance without a GPU; `lines` fills with what llama.cpp logs. */
export async function startLlama() {
  const lines = [];
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    logLevel: LlamaLogLevel.debug,
    logger: (_level, message) => lines.push(message),
  });
  return { llama, lines };
}
