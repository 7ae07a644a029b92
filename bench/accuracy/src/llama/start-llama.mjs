// Starts llama.cpp from the installed binary. Nothing is downloaded or compiled.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { GGML_TYPES } from '../models/ggml-types.mjs';

/** Starts an instance, without a GPU by default. llama.cpp's log is appended to `lines`. */
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

/** A native model, which `init()` loads. node-llama-cpp's own class needs a tokenizer, which shapes lack. */
export function newModel(llama, file, gpuLayers = 0) {
  return new llama._bindings.AddonModel(file, {
    gpuLayers,
    noAlloc: false,
    useMmap: true,
    useMlock: false,
  });
}

/** A native context for a case, which `init()` creates. */
export function newContext(llama, model, one) {
  return new llama._bindings.AddonContext(model, {
    contextSize: one.context * one.parallel,
    batchSize: one.batch,
    sequences: one.parallel,
    flashAttention: one.flashAttention,
    kvCacheKeyType: GGML_TYPES[one.kvK],
    kvCacheValueType: GGML_TYPES[one.kvV],
    swaFullCache: one.swaFull,
  });
}

/** Waits for the log, which arrives through the event loop after the call that wrote it. */
export function logArrived() {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
