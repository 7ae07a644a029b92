// What node-llama-cpp itself predicts for a file: its heuristic in JavaScript, and what it prefers where its
// native part is there, llama.cpp's own dry run. In bytes of RAM, nothing on a GPU.
import { GgufInsights, readGgufFileInfo } from 'node-llama-cpp';
import { GGML_TYPES } from './ggml-types.mjs';

/**
 * One answer for each case: `heuristic` by part, `dryRun` for model and context.
 *
 * @param llama An instance without a GPU.
 * @param cases Their `batch` is what was in force when llama.cpp loaded the model.
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
      // For a sliding window, it asks llama.cpp for one more than it is asked for.
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

/** The heuristic's public answer is one sum; its cache (KV and recurrent state) is taken where it is added. */
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
