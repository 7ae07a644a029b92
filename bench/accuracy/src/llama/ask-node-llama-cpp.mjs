// Asks node-llama-cpp for its predictions of a file, in bytes of RAM without a GPU. One prediction comes from
// its heuristic in JavaScript. The other comes from llama.cpp's dry run. node-llama-cpp prefers the dry run
// if its native library is installed.
import { GgufInsights, readGgufFileInfo } from 'node-llama-cpp';
import { GGML_TYPES } from '../models/ggml-types.mjs';

/**
 * Returns an answer for each case: `heuristic` by part, `dryRun` for model and context.
 *
 * @param llama An instance without a GPU.
 * @param cases `batch` is the micro-batch that llama.cpp used when it loaded the model.
 */
export async function askNodeLlamaCpp(llama, file, cases) {
  const insights = await GgufInsights.from(
    await readGgufFileInfo(file, { logWarnings: false }),
    llama,
  );
  const cacheOf = watchCache(insights);
  const model = { gpuLayers: 0, useMmap: true };
  const weightsBytes = insights.estimateModelResourceRequirements(model).cpuRam;
  const dryWeightsBytes = (await insights.estimateModelResourceRequirementsV2(model)).cpuRam;
  const answers = [];
  for (const one of cases) {
    const question = {
      contextSize: one.context,
      modelGpuLayers: 0,
      // For a model with sliding windows, node-llama-cpp adds 1 to the batch, so 1 is subtracted here.
      batchSize: insights.swaSize > 0 && !one.swaFull ? one.batch - 1 : one.batch,
      sequences: one.parallel,
      flashAttention: one.flashAttention,
      swaFullCache: one.swaFull,
      kvCacheKeyType: GGML_TYPES[one.kvK],
      kvCacheValueType: GGML_TYPES[one.kvV],
    };
    const contextBytes = insights.estimateContextResourceRequirements(question).cpuRam;
    const cacheBytes = cacheOf();
    const dryContextBytes = (await insights.estimateContextResourceRequirementsV2(question)).cpuRam;
    answers.push({
      heuristic: { weightsBytes, cacheBytes, buffersBytes: contextBytes - cacheBytes },
      dryRun: { weightsBytes: dryWeightsBytes, contextBytes: dryContextBytes },
    });
  }
  return answers;
}

/**
 * Intercepts the size of the cache (KV and recurrent state), because the heuristic returns only the sum with
 * the compute buffer.
 */
function watchCache(insights) {
  let bytes = 0;
  const split = insights._estimateContextCacheMemorySplitInBytes.bind(insights);
  insights._estimateContextCacheMemorySplitInBytes = (options) => {
    const answer = split(options);
    bytes = answer.cpuKVCacheSize + answer.cpuRecurrentStateSize;
    return answer;
  };
  return () => bytes;
}
