// The llama.cpp of this machine's CPU binary; nothing is downloaded or compiled.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { GGML_TYPES } from './ggml-types.mjs';

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

/** A native model, because those written here have no tokenizer; it is loaded by its `init()`. */
export function newModel(llama, file, gpuLayers = 0) {
  return new llama._bindings.AddonModel(file, {
    gpuLayers,
    noAlloc: false,
    useMmap: true,
    useMlock: false,
  });
}

/** A native context for one of the cases; it is made by its `init()`. */
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

/** The log reaches us through the event loop, a little after the call that wrote it. */
export function logArrived() {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
