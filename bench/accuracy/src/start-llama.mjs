// The llama.cpp of this machine's CPU binary; nothing is downloaded or compiled.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';

/** An instance, without a GPU unless one is asked for; `lines` fills with what llama.cpp logs. */
export async function startLlama(gpu = false) {
  const lines = [];
  const llama = await getLlama({
    gpu,
    build: 'never',
    skipDownload: true,
    logLevel: LlamaLogLevel.debug,
    logger: (_level, message) => lines.push(message),
  });
  return { llama, lines };
}
