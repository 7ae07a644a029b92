// The architectures of known models. A published result names the model only; a file's header would hold these figures.
// From the published hyper-parameters of each model (`config.json`). Figures of a layer are means over all layers: layers with
// a short window or a recurrent state count as 0. `check-architectures.mjs` compares the lines with the headers of published files that the
// repository has. GLM 4.5 with 355 billion parameters: scripts/models/glm4.5-355B-A32B.sh of github.com/zyzshishui/slime. Kimi K2: the report on its
// config.json in github.com/ParagEkbote/hf-model-inspector.

/**
 * A row: pattern of the name, from and below billions of parameters, and
 * - bytes that a token adds to the KV cache of a layer: key and value heads x their dimension x 2 (keys and values) x 2 bytes;
 * - values of a token's queries in a layer: query heads x their dimension. Latent attention (DeepSeek) multiplies 576 values
 *   for each key and 512 for each value, so a head counts 544;
 * - billions of parameters of the input embedding where the output has a matrix of its own (vocabulary x width), else 0;
 * - experts that a token uses, and all experts of a layer.
 */
const ARCHITECTURES = [
  [/nemotron-?3.*super/, 0, 1000, 93, 372, 0.537, 22, 512],
  [/nemotron-(3|cascade)/, 0, 1000, 118, 473, 0.352, 6, 128],
  [/qwen3-?(coder-)?next/, 0, 1000, 512, 1024, 0.311, 10, 512],
  [/qwen3\.[5-9]|ornith/, 0, 3, 512, 512, 0],
  [/qwen3\.[5-9]|ornith/, 3, 6, 1024, 1024, 0],
  [/qwen3\.[5-9]|ornith/, 6, 15, 1024, 1024, 1.017],
  [/qwen3\.[5-9]|ornith/, 15, 30, 1024, 1536, 1.271],
  [/qwen3\.[5-9]|ornith/, 30, 60, 512, 1024, 0.509, 8, 256],
  [/qwen3\.[5-9]|ornith/, 60, 200, 512, 2048, 0.763, 8, 256],
  [/qwen3\.[5-9]|ornith/, 200, 1000, 512, 2048, 1.017, 10, 512],
  [/qwen3-?moe|qwen3.*a3b/, 0, 60, 2048, 4096, 0.311, 8, 128],
  [/qwen3.*a22b/, 60, 1000, 2048, 8192, 0.622, 8, 128],
  [/qwen3/, 0, 3, 4096, 2048, 0],
  [/qwen3/, 3, 6, 4096, 4096, 0],
  [/qwen3/, 6, 10, 4096, 4096, 0.622],
  [/qwen3/, 10, 20, 4096, 5120, 0.778],
  [/qwen3/, 20, 60, 4096, 8192, 0.778],
  [/qwen-?2|distill-qwen/, 0, 1, 512, 896, 0],
  [/qwen-?2|distill-qwen/, 1, 2, 1024, 1536, 0],
  [/qwen-?2|distill-qwen/, 2, 5, 1024, 2048, 0],
  [/qwen-?2|distill-qwen/, 5, 10, 2048, 3584, 0.545],
  [/qwen-?2|distill-qwen/, 10, 50, 4096, 5120, 0.778],
  [/qwen-?2|distill-qwen/, 50, 100, 4096, 8192, 1.246],
  [/granite-4(?!\.1)|jamba/, 0, 1000, 410, 410, 0, 6, 64],
  [/granite-4\.1/, 0, 5, 2048, 2560, 0],
  [/granite/, 0, 3.5, 2048, 2048, 0],
  [/granite/, 3.5, 100, 4096, 4096, 0],
  [/lfm/, 0, 1, 768, 384, 0],
  [/lfm/, 1, 2, 768, 768, 0],
  [/lfm/, 2, 1000, 546, 546, 0, 4, 32],
  [/gpt.oss/, 0, 60, 1024, 2048, 0.579, 4, 32],
  [/gpt.oss/, 60, 1000, 1024, 2048, 0.579, 4, 128],
  [/gemma-?2-/, 0, 4, 2048, 1024, 0],
  [/gemma-?2-/, 4, 100, 4096, 2048, 0],
  [/gemma-?3n/, 0, 100, 1024, 410, 0],
  [/gemma-?3/, 0, 2, 158, 158, 0],
  [/gemma-?3/, 2, 7, 602, 301, 0],
  [/gemma-?3/, 7, 20, 1365, 683, 0],
  [/gemma-?3/, 20, 100, 1321, 661, 0],
  [/gemma-?4.*e[24]b/, 0, 100, 683, 750, 0],
  [/gemma-?4/, 0, 30, 683, 1365, 0, 8, 128],
  [/gemma-?4/, 30, 100, 1365, 2731, 0],
  [/glm-4\.7-flash/, 0, 1000, 1152, 10_880, 0.317, 4, 64],
  [/deepseek-(coder-)?v[23]/, 0, 30, 1152, 8704, 0.21, 6, 64],
  [/deepseek-(coder-)?v[23]/, 30, 1000, 1152, 69_632, 0.927, 8, 256],
  [/mistral-small-4/, 0, 1000, 1152, 9216, 0.537, 4, 128],
  [/deepseek-v4/, 0, 1000, 600, 4096, 0.53, 6, 256],
  [/glm-4\.[5-7]/, 200, 1000, 4096, 12_288, 0.776, 8, 160],
  [/glm-4\.[5-7]/, 0, 1000, 4096, 12_288, 0.62, 8, 128],
  [/glm-4-9b|internlm3/, 0, 100, 1024, 4096, 0.57],
  [/kimi-?k2/, 0, 2000, 1152, 34_816, 1.174, 8, 384],
  [/minimax/, 0, 1000, 4096, 6144, 0.615, 8, 256],
  [/hunyuan/, 0, 1000, 4096, 4096, 0, 8, 64],
  [/llama-?4/, 0, 200, 4096, 5120, 1.034, 1, 16],
  [/llama-?4/, 200, 1000, 4096, 5120, 1.034, 1, 128],
  [/llama-2|llama 7b/, 0, 10, 16_384, 4096, 0.131],
  [/llama-2|llama 13b/, 10, 20, 20_480, 5120, 0.164],
  [/llama-2/, 20, 100, 4096, 8192, 0.262],
  [/tinyllama/, 0, 9, 1024, 2048, 0.066],
  [/llama/, 0, 2, 2048, 2048, 0],
  [/llama/, 2, 6, 4096, 3072, 0],
  [/llama/, 6, 20, 4096, 4096, 0.525],
  [/llama/, 20, 100, 4096, 8192, 1.051],
  [/phi-4-mini/, 0, 9, 4096, 3072, 0],
  [/phi-3-medium/, 0, 100, 5120, 5120, 0.164],
  [/phi-4/, 0, 100, 5120, 5120, 0.514],
  [/phi-3/, 0, 9, 12_288, 3072, 0.099],
  [/smollm2/, 0, 9, 8192, 2048, 0],
  [/smollm3/, 0, 9, 2048, 2048, 0],
  [/olmo-2/, 0, 10, 16_384, 4096, 0.411],
  [/olmo-2/, 10, 20, 20_480, 5120, 0.514],
  [/yi-1\.5-9b/, 0, 100, 2048, 4096, 0.262],
  [/falcon-?h1/, 1, 2, 1024, 1024, 0],
  [/ernie/, 0, 100, 2048, 2560, 0, 6, 64],
  [/dots/, 0, 1000, 16_384, 4096, 0.623, 6, 128],
  [/mixtral/, 0, 1000, 4096, 4096, 0.131, 2, 8],
  [/ministral.*3b/, 0, 5, 4096, 4096, 0],
  [/ministral|mistral.*7b|falcon3|exaone|apertus/, 0, 10, 4096, 4096, 0.4],
  [/mi(ni)?stral|devstral|magistral/, 10, 40, 4096, 4096, 0.671],
  [/codestral/, 0, 100, 4096, 6144, 0.201],
  [/aya/, 0, 100, 4096, 4096, 0],
];

/** 8 key and value heads of 128, such as Llama 3, Mistral and GLM 4.5. */
const USUAL_KV_BYTES = 4096;
/** Experts that a token uses, and all of a layer, where a mixture is not known. */
const USUAL_EXPERTS = [8, 128];
/** Half of an unknown model's parameters of the input embedding; small models have none of their own. */
const USUAL_TABLE = 0.4e9;
const SMALL = 6e9;

/** @returns the figures of a model of this name and number of parameters; see `ARCHITECTURES` */
export function architectureOf(modelName, parameters, activeParameters, layers) {
  const found = rowOf(modelName, parameters);
  // The width of a layer, from twelve parameters for each square of the width.
  const usualWidth = Math.max(1024, Math.sqrt(activeParameters / layers / 12));
  const [, , , kvBytes, queryValues, table, used, experts] = found ?? [];
  return {
    kvBytesOfLayer: kvBytes ?? USUAL_KV_BYTES,
    queryValuesOfLayer: queryValues ?? usualWidth,
    tableParameters: table === undefined ? (parameters < SMALL ? 0 : USUAL_TABLE) : table * 1e9,
    usedExperts: used === undefined ? USUAL_EXPERTS[0] / USUAL_EXPERTS[1] : used / experts,
  };
}

/** Names the family of a model. Names with the same family and size count as one model. */
export function familyOf(modelName, parameters) {
  const found = rowOf(modelName, parameters);
  return found === undefined ? /[a-z]*/i.exec(modelName)[0].toLowerCase() : found[0].source;
}

function rowOf(modelName, parameters) {
  const name = modelName.toLowerCase();
  const billions = parameters / 1e9;
  return ARCHITECTURES.find(
    ([pattern, from, below]) => billions >= from && billions < below && pattern.test(name),
  );
}
