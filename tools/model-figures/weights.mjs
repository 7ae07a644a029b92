// The weights of a model as llama.cpp quantizes them: the tensors that follow from its hyper-parameters, and the
// type that each one gets in a Q4_K_M, Q8_0 or MXFP4 file (ggml-org/llama.cpp: src/llama-quant.cpp).
import { BLOCKS } from './blocks.mjs';

/** The type that is used instead if the length of a row is not a multiple of the block (llama-quant.cpp). */
const FALLBACKS = { Q6_K: 'Q8_0', Q5_K: 'Q5_1', Q4_K: 'Q5_0' };

/**
 * Every tensor of the language model: the length of a row, the number of rows, the type, and the number of
 * equal tensors.
 */
export function tensorsOf(model) {
  const { layers, hiddenSize: width, feedForwardSize: ff, heads, kvHeads, headDim } = model;
  const quant = quantizer(model);
  const tensors = [];
  const add = (role, row, rows, layer = null, count = 1) =>
    tensors.push({ role, row, rows, count, type: quant(role, row, layer) });
  const queryWidth = heads * headDim;
  const kvWidth = kvHeads * headDim;
  const experts = model.experts?.count ?? null;
  const family = model.architecture;

  add('token_embd', width, model.vocabSize);
  if (!model.tiedEmbeddings) add('output', width, model.vocabSize);
  if (family === 'nomic-bert') {
    add('vector', width, 2); // token types
    add('vector', width, 2); // norm of the embeddings: weight and bias
  } else {
    add('vector', width, 1); // norm before the output layer
  }

  for (let layer = 0; layer < layers; layer += 1) {
    if (family === 'phi3' || family === 'nomic-bert') {
      add('attn_qkv', width, queryWidth + 2 * kvWidth, layer);
    } else {
      add('attn_q', width, queryWidth, layer);
      add('attn_k', width, kvWidth, layer);
      add('attn_v', width, kvWidth, layer);
    }
    add('attn_output', queryWidth, width, layer);
    if (family === 'qwen2') add('vector', queryWidth + 2 * kvWidth, 1);
    if (family === 'qwen3' || family === 'qwen3moe' || family === 'gemma3') {
      add('vector', headDim, 2); // norms of queries and keys
    }
    // Norms before attention and feed-forward. Gemma has two more norms after them. BERT's norms have biases.
    add('vector', width, family === 'gemma3' || family === 'nomic-bert' ? 4 : 2);

    if (family === 'gpt-oss') {
      add('vector', queryWidth + 2 * kvWidth + width + heads, 1); // biases and attention sinks
      add('vector', experts, 1); // bias of the router
      add('expert_bias', 2 * ff + width, experts);
    }
    if (experts === null) {
      add('ffn_gate', width, ff, layer);
      add('ffn_up', width, ff, layer);
      add('ffn_down', ff, width, layer);
    } else {
      add('router', width, experts);
      add('ffn_gate', width, ff, layer, experts);
      add('ffn_up', width, ff, layer, experts);
      add('ffn_down', ff, width, layer, experts);
    }
  }
  return tensors;
}

/** The type of a tensor in a file of the model's quantization. */
function quantizer(model) {
  const type = (role, layer) => {
    if (['vector', 'router', 'expert_bias'].includes(role)) return 'F32';
    if (model.quantization === 'Q8_0') return 'Q8_0';
    if (model.quantization === 'MXFP4') return role.startsWith('ffn_') ? 'MXFP4' : 'Q8_0';
    const isOutput = role === 'output' || (role === 'token_embd' && model.tiedEmbeddings);
    // An encoder has no output layer. Its embeddings are quantized like any other tensor.
    if (isOutput && model.architecture !== 'nomic-bert') return 'Q6_K';
    if (role === 'attn_qkv') return 'Q5_K';
    if (role === 'attn_v' && getsMoreBits(layer, model.layers)) return 'Q6_K';
    // llama.cpp uses more bits for the value weights of 70B models, where eight heads share one value head.
    if (role === 'attn_v' && model.layers === 80) return 'Q5_K';
    if (role === 'ffn_down' && getsMoreBits(layer, model.layers)) return 'Q6_K';
    return 'Q4_K';
  };
  return (role, row, layer) => {
    const wanted = type(role, layer);
    return row % BLOCKS[wanted][0] === 0 ? wanted : (FALLBACKS[wanted] ?? 'F32');
  };
}

/** Whether a layer gets more bits: the first and the last eighth, and every third layer between (use_more_bits). */
function getsMoreBits(layer, layers) {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** Parameters of the vision part and its projector: matrices (F16 in mmproj files) and vectors (F32). */
export function visionOf(model) {
  const { vision } = model;
  if (vision === undefined) return { matrices: 0, vectors: 0 };
  const { layers, hiddenSize: w, feedForwardSize: ff, patchSize, positions = 0 } = vision;
  const text = model.hiddenSize;
  const patch = patchSize * patchSize * 3;
  const attention = 4 * w * w;
  switch (vision.kind) {
    case 'siglip':
      return {
        matrices: patch * w + positions * w + layers * (attention + 2 * w * ff) + w * text,
        vectors: w + layers * (4 * w + ff + w + 4 * w) + 2 * w + w,
      };
    case 'qwen2.5-vl':
      return {
        matrices: 2 * patch * w + layers * (attention + 3 * w * ff) + (4 * w) ** 2 + 4 * w * text,
        vectors: layers * (4 * w + 2 * ff + w + 2 * w) + w + 4 * w + text,
      };
    case 'qwen3-vl': {
      const mergers = 1 + vision.deepstackLayers;
      return {
        matrices:
          2 * patch * w +
          positions * w +
          layers * (attention + 2 * w * ff) +
          mergers * ((4 * w) ** 2 + 4 * w * text),
        vectors:
          w +
          layers * (4 * w + 4 * w + ff + w) +
          2 * w +
          vision.deepstackLayers * 8 * w +
          mergers * (4 * w + text),
      };
    }
    case 'pixtral':
      return {
        matrices:
          patch * w + layers * (attention + 3 * w * ff) + 4 * w * w + w * text + text * text,
        vectors: w + layers * 2 * w + w,
      };
    default:
      throw new Error(`unknown vision part: ${vision.kind}`);
  }
}
