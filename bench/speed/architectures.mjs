// What one token adds to the KV cache of a layer, by model. A published result names the model only; a file's header would hold it.
// From the published hyper-parameters of each model (`config.json`), written down without checking each file again: key and value heads x their dimension x 2 (keys and values) x 2 bytes.
// Bytes are averaged over all layers. Layers with a short window or a recurrent state count as 0.

/** [pattern of the name, from and below billions of parameters, bytes of a token in a layer] */
const ARCHITECTURES = [
  [/nemotron-(3|cascade)/, 0, 1000, 118],
  [/qwen3\.[5-9]|ornith|qwen3-?(coder-)?next/, 0, 3, 512],
  [/qwen3\.[5-9]|ornith|qwen3-?(coder-)?next/, 3, 30, 1024],
  [/qwen3\.[5-9]|ornith|qwen3-?(coder-)?next/, 30, 1000, 512],
  [/qwen3.*a3b/, 0, 60, 2048],
  [/qwen3.*a22b/, 60, 1000, 2048],
  [/qwen3/, 0, 60, 4096],
  [/qwen-?2|distill-qwen/, 0, 1, 512],
  [/qwen-?2|distill-qwen/, 1, 5, 1024],
  [/qwen-?2|distill-qwen/, 5, 10, 2048],
  [/qwen-?2|distill-qwen/, 10, 100, 4096],
  [/granite-4(?!\.1)|jamba/, 0, 1000, 410],
  [/lfm/, 0, 1000, 768],
  [/gpt.oss/, 0, 1000, 1024],
  [/gemma-?2-/, 0, 4, 3072],
  [/gemma-?2-/, 4, 100, 6144],
  [/gemma-?3n/, 0, 100, 1024],
  [/gemma-?3/, 0, 2, 170],
  [/gemma-?3/, 2, 7, 683],
  [/gemma-?3/, 7, 100, 1365],
  [/gemma-?4.*(e[24]b|a4b|12b)/, 0, 100, 683],
  [/gemma-?4/, 0, 100, 1365],
  [/glm-4\.7-flash|deepseek-(coder-)?v[23]|mistral-small-4/, 0, 1000, 1152],
  [/deepseek-v4/, 0, 1000, 600],
  [/glm-4-9b|internlm3/, 0, 100, 1024],
  [/llama-2|llama 7b/, 0, 10, 16_384],
  [/llama-2/, 10, 20, 20_480],
  [/tinyllama/, 0, 9, 1024],
  [/llama/, 0, 2, 2048],
  [/phi-4-mini/, 0, 9, 4096],
  [/phi-3-medium|phi-4/, 0, 100, 5120],
  [/phi-3/, 0, 9, 12_288],
  [/smollm2/, 0, 9, 8192],
  [/smollm3/, 0, 9, 2048],
  [/olmo-2/, 0, 10, 16_384],
  [/olmo-2/, 10, 20, 20_480],
  [/yi-1\.5-9b|ernie/, 0, 100, 2048],
  [/dots/, 0, 1000, 16_384],
];

/** Models with 8 key and value heads of 128, such as Llama 3, Mistral, MiniMax, GLM 4.5 and Granite 3. */
const USUAL = 4096;

/** Bytes that a token adds to the KV cache of a layer, as a mean over all layers. */
export function kvBytesOfLayer(modelName, parameters) {
  const name = modelName.toLowerCase();
  const billions = parameters / 1e9;
  const found = ARCHITECTURES.find(
    ([pattern, from, below]) => billions >= from && billions < below && pattern.test(name),
  );
  return found?.[3] ?? USUAL;
}
