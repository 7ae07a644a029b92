import type { LoadEngine } from '../engine/load-engine.js';
import { formatBytes, plural } from '../words.js';
import type { Check } from './check.js';
import { ok, warning } from './check.js';

/** Says by how much a model may grow in this engine, how to bound this growth, and which hardware settings matter. */
export function checkEngine({ profile, disabledGpus, hardware }: LoadEngine): readonly Check[] {
  const { promptCacheBytes, contextCheckpoints } = profile.settings;
  const cacheBytes = Math.max(promptCacheBytes.value, ...promptCacheBytes.alternatives);
  const checkpoints = Math.max(contextCheckpoints.value, ...contextCheckpoints.alternatives);
  const grows = [
    ...(cacheBytes > 0 ? [`a prompt cache of up to ${formatBytes(cacheBytes)}`] : []),
    ...(checkpoints > 0
      ? [`up to ${plural(checkpoints, 'context checkpoint')} for each request`]
      : []),
  ];
  return [
    ...(grows.length === 0
      ? []
      : [
          ok(
            'Growth',
            `After its load, each model may also take ${grows.join(' and ')} in RAM. To bound this growth, lower the prompt cache and the number of context checkpoints (${CHECKPOINTS_KEY}) in the model's load settings in LM Studio, or unload idle models with a time to live.`,
          ),
        ]),
    ...(disabledGpus === 0
      ? []
      : [
          warning(
            'GPU',
            `${plural(disabledGpus, 'GPU')} disabled in LM Studio. LM Studio names a GPU by an index, and it is not known which GPU has this index (with Vulkan, the index may mean another GPU: lmstudio-bug-tracker #2425). Mai leaves out the GPUs with the most free memory.`,
            null,
          ),
        ]),
    ...checkHardware(hardware),
  ];
}

/** The user's hardware settings in LM Studio. A setting that estimates ignore is a warning. */
function checkHardware(hardware: LoadEngine['hardware']): readonly Check[] {
  if (hardware === null) return [];
  const { gpuSplit, gpuStrictVramCap, offloadKvCacheToGpu } = hardware;
  return [
    ...(gpuSplit === null
      ? []
      : [
          ok(
            'GPU',
            `LM Studio's strategy to split a model over several GPUs is '${gpuSplit.strategy}'. Mai's estimates assume a split by free memory.`,
          ),
        ]),
    ...(offloadKvCacheToGpu === false
      ? [
          ok(
            'GPU',
            "By LM Studio's hardware settings, the KV cache of language models stays in RAM. Mai's estimates count it there.",
          ),
        ]
      : []),
    ...(gpuStrictVramCap === true
      ? [
          warning(
            'GPU',
            "By LM Studio's hardware settings, a load uses only the GPU's own memory, so fewer layers may fit on the GPU. Mai's estimates ignore this, so they may count too much memory on the GPU and too little in RAM.",
            null,
          ),
        ]
      : []),
  ];
}

/** The load setting in lmstudio-js, packages/lms-kv-config/src/schema.ts. */
const CHECKPOINTS_KEY = 'llm.load.llama.contextCheckpoints';
