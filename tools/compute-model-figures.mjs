// Computes the figures of config/models.yaml from the published hyper-parameters of each model.
//
//   node tools/compute-model-figures.mjs           writes them into config/models.yaml
//   node tools/compute-model-figures.mjs --check   exits with 1 where the file says something else
//   node tools/compute-model-figures.mjs --json    prints them, with their parts
//
// The hyper-parameters, with the address of each config.json, are in model-hyper-parameters.json. What
// memory follows from them is what llama.cpp's loader, KV cache and graph allocator do (ggml-org/llama.cpp:
// src/llama-quant.cpp for the tensor types of a Q4_K_M file, src/llama-kv-cache.cpp, src/llama-graph.cpp).
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const CONFIG_FILE = path.join(here, '..', 'config', 'models.yaml');
const DATA_FILE = path.join(here, 'model-hyper-parameters.json');

const BYTES_PER_GIB = 1024 ** 3;

/** Elements and bytes of one block of each tensor type (ggml/src/ggml-common.h). */
const BLOCKS = {
  F32: [1, 4],
  F16: [1, 2],
  Q8_0: [32, 34],
  Q6_K: [256, 210],
  Q5_K: [256, 176],
  Q5_1: [32, 24],
  Q5_0: [32, 22],
  Q4_K: [256, 144],
  MXFP4: [32, 17],
};

/** What a type becomes where a row is no multiple of its block (llama-quant.cpp). */
const FALLBACKS = { Q6_K: 'Q8_0', Q5_K: 'Q5_1', Q4_K: 'Q5_0' };

/** llama.cpp's and LM Studio's default: tokens that are computed in one go. */
const MICRO_BATCH_TOKENS = 512;
/** The cache of a sliding window is padded to a multiple of this (llama-kv-cache-iswa.cpp). */
const CACHE_PADDING_TOKENS = 256;
const KV_TYPE = 'Q8_0';
const EMBEDDING_KV_TYPE = 'F16';

// The context to start with: as long as it can be while the KV cache stays small beside the weights.
const LARGEST_CACHE_SHARE = 1 / 2;
const CONTEXTS_TOKENS = [2048, 4096, 8192, 16_384, 32_768];
const SMALLEST_USEFUL_CONTEXT_TOKENS = 4096;
/** An answer may take this share of the context. */
const OUTPUT_SHARE = 1 / 4;

/** Sizes of the downloaded files from which a model is called medium and large. */
const MEDIUM_FROM_BYTES = 2 * BYTES_PER_GIB;
const LARGE_FROM_BYTES = 6.5 * BYTES_PER_GIB;

/** Every tensor of the language model: the length of a row, the number of rows, its type, how many there are. */
function tensorsOf(model) {
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
    add('vector', width, 1); // last norm
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
    // Norms before attention and feed-forward; Gemma has two more after them, BERT's have biases.
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
    // An encoder has no output layer: its embeddings are quantized like any other tensor.
    if (isOutput && model.architecture !== 'nomic-bert') return 'Q6_K';
    if (role === 'attn_qkv') return 'Q5_K';
    if (role === 'attn_v' && getsMoreBits(layer, model.layers)) return 'Q6_K';
    // llama.cpp spends more on the values of 70B models, whose heads share them eight to one.
    if (role === 'attn_v' && model.layers === 80) return 'Q5_K';
    if (role === 'ffn_down' && getsMoreBits(layer, model.layers)) return 'Q6_K';
    return 'Q4_K';
  };
  return (role, row, layer) => {
    const wanted = type(role, layer);
    return row % BLOCKS[wanted][0] === 0 ? wanted : (FALLBACKS[wanted] ?? 'F32');
  };
}

/** The first and the last eighth of the layers, and every third between (use_more_bits). */
function getsMoreBits(layer, layers) {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** Parameters of the vision part and its projector: matrices (F16 in mmproj files) and vectors (F32). */
function visionOf(model) {
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

function bytesOf(type, elements) {
  const [size, bytes] = BLOCKS[type];
  return (elements / size) * bytes;
}

/** Bytes of the KV cache with this many tokens of context. */
function cacheBytes(model, contextTokens) {
  if (model.architecture === 'nomic-bert') return 0; // an encoder keeps none
  const type = model.embedding === true ? EMBEDDING_KV_TYPE : KV_TYPE;
  const perToken = 2 * bytesOf(type, model.kvHeads * model.headDim);
  const { slidingWindow } = model;
  let cells = 0;
  for (let layer = 0; layer < model.layers; layer += 1) {
    const full = slidingWindow === undefined || (layer + 1) % slidingWindow.fullLayerEvery === 0;
    cells += full
      ? contextTokens
      : Math.min(
          contextTokens,
          Math.ceil((slidingWindow.tokens + MICRO_BATCH_TOKENS) / CACHE_PADDING_TOKENS) *
            CACHE_PADDING_TOKENS,
        );
  }
  return cells * perToken;
}

/**
 * Bytes of the compute buffer with flash attention: the largest of what the output layer, the attention
 * and the feed-forward network hold at once for one micro-batch. Against llama.cpp's own figure this is
 * within 1 percent of the model's total for nine of ten models.
 */
function computeBytes(model, contextTokens) {
  const tokens = Math.min(MICRO_BATCH_TOKENS, contextTokens);
  const hidden = 4 * model.hiddenSize * tokens;
  const mask = 2 * contextTokens * tokens;
  const output = (model.embedding === true ? 0 : 4 * model.vocabSize * tokens) + 2 * hidden;
  const attention = mask + 8 * tokens * model.heads * model.headDim + 2 * hidden;
  const used = model.experts?.used ?? null;
  const feedForward =
    used === null
      ? 8 * model.feedForwardSize * tokens + 3 * hidden + mask
      : (8 * model.feedForwardSize + 4 * model.hiddenSize) * used * tokens + 3 * hidden + mask;
  return Math.max(output, attention, feedForward);
}

/** All figures of one model, with the parts that they are made of. */
export function figuresOf(model) {
  const tensors = tensorsOf(model);
  const vision = visionOf(model);
  const sum = (chosen, of) => chosen.reduce((total, tensor) => total + of(tensor), 0);
  const elements = (tensor) => tensor.row * tensor.rows * tensor.count;
  const bytes = (tensor) => bytesOf(tensor.type, elements(tensor));

  const parameters = sum(tensors, elements) + vision.matrices + vision.vectors;
  const visionBytes = bytesOf('F16', vision.matrices) + bytesOf('F32', vision.vectors);
  const languageBytes = sum(tensors, bytes);
  const weightsBytes = languageBytes + visionBytes;
  const embeddingsBytes = sum(
    tensors.filter(({ role }) => role === 'token_embd'),
    bytes,
  );

  const possible = CONTEXTS_TOKENS.filter((context) => context <= model.maxContextTokens);
  const contextTokens = possible.findLast(
    (context) =>
      context <= SMALLEST_USEFUL_CONTEXT_TOKENS ||
      cacheBytes(model, context) <= weightsBytes * LARGEST_CACHE_SHARE,
  );
  const contextBytes = cacheBytes(model, contextTokens) + computeBytes(model, contextTokens);
  // The embeddings stay in RAM. Where the output layer is the same tensor, the GPU gets a copy.
  const staysInRam = model.tiedEmbeddings ? 0 : embeddingsBytes;
  const tier =
    weightsBytes >= LARGE_FROM_BYTES
      ? 'large'
      : weightsBytes >= MEDIUM_FROM_BYTES
        ? 'medium'
        : 'small';
  return {
    fields: {
      category: tier,
      min_memory_gb: gibibytes(weightsBytes + contextBytes),
      min_vram_gb: gibibytes(weightsBytes - staysInRam + contextBytes),
      context_window: contextTokens,
      ...(model.embedding === true ? {} : { max_output_tokens: contextTokens * OUTPUT_SHARE }),
    },
    parts: {
      parameters,
      languageBytes,
      visionBytes,
      cacheBytes: cacheBytes(model, contextTokens),
      computeBytes: computeBytes(model, contextTokens),
    },
  };
}

/** Rounded up to a tenth: a little more than it takes never hurts. */
function gibibytes(bytes) {
  return Math.ceil((bytes / BYTES_PER_GIB) * 10) / 10;
}

/** The text with the figures of every model set; a model that is not in the data is an error. */
export function setFigures(text, figures) {
  const missing = new Set(Object.keys(figures));
  let current = null;
  const lines = text.split('\n').map((line) => {
    const key = /^ {2}- key: (\S+)$/.exec(line)?.[1];
    if (key !== undefined) {
      current = figures[key];
      if (current === undefined) throw new Error(`no hyper-parameters for ${key} in ${DATA_FILE}`);
      missing.delete(key);
    } else if (/^\S/.test(line)) {
      current = null;
    }
    const field = current === null ? null : /^( {4})([a-z_]+): /.exec(line);
    if (field === null || !(field[2] in current.fields)) return line;
    return `${field[1]}${field[2]}: ${current.fields[field[2]]}`;
  });
  if (missing.size > 0) throw new Error(`not in config/models.yaml: ${[...missing].join(', ')}`);
  return lines.join('\n');
}

/** The figures of every model, and a fault where a count of parameters is not the published one. */
export function computeAll() {
  const { models } = JSON.parse(readFileSync(DATA_FILE, 'utf8'));
  return Object.fromEntries(
    Object.entries(models).map(([key, model]) => {
      const figures = figuresOf(model);
      if (figures.parts.parameters !== model.parameters) {
        throw new Error(
          `${key}: its hyper-parameters make ${figures.parts.parameters} parameters, published are ${model.parameters}`,
        );
      }
      return [key, figures];
    }),
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const figures = computeAll();
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(figures, null, 2));
  } else {
    const before = readFileSync(CONFIG_FILE, 'utf8');
    const after = setFigures(before, figures);
    if (!process.argv.includes('--check')) {
      writeFileSync(CONFIG_FILE, after);
    } else if (before !== after) {
      console.error('config/models.yaml differs: run node tools/compute-model-figures.mjs');
      process.exitCode = 1;
    }
  }
}
