// Computes the figures of config/models.yaml from the published hyper-parameters of each model.
//
//   node tools/compute-model-figures.mjs           writes them into config/models.yaml
//   node tools/compute-model-figures.mjs --check   exits with 1 if the file differs
//   node tools/compute-model-figures.mjs --json    prints them, with their parts
//
// The hyper-parameters, with the address of each config.json and the number of parameters that Hugging
// Face counts in the published weights, are in model-figures/hyper-parameters.json. The files beside it
// compute the memory by llama.cpp's rules.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bytesOf } from './model-figures/blocks.mjs';
import { cacheBytes, computeBytes } from './model-figures/context.mjs';
import { tensorsOf, visionOf } from './model-figures/weights.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const CONFIG_FILE = path.join(here, '..', 'config', 'models.yaml');
const DATA_FILE = path.join(here, 'model-figures', 'hyper-parameters.json');

const BYTES_PER_GIB = 1024 ** 3;

// The default context: the longest context whose KV cache is small compared with the weights.
const LARGEST_CACHE_SHARE = 1 / 2;
const CONTEXTS_TOKENS = [2048, 4096, 8192, 16_384, 32_768];
const SMALLEST_USEFUL_CONTEXT_TOKENS = 4096;
/** Share of the context that an answer may take. */
const OUTPUT_SHARE = 1 / 4;

/** The smallest file sizes of a medium and of a large model. */
const MEDIUM_FROM_BYTES = 2 * BYTES_PER_GIB;
const LARGE_FROM_BYTES = 6.5 * BYTES_PER_GIB;

/** All figures of one model, and the parts that add up to them. */
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

/** GiB, rounded up to a tenth, because a figure that is slightly too large is harmless. */
function gibibytes(bytes) {
  return Math.ceil((bytes / BYTES_PER_GIB) * 10) / 10;
}

/** The text with the figures of every model. Throws for a model that is not in the data. */
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

/**
 * The figures of every model, and a fault for each model whose number of parameters differs from the
 * published one.
 */
export function computeAll() {
  const { models } = JSON.parse(readFileSync(DATA_FILE, 'utf8'));
  return Object.fromEntries(
    Object.entries(models).map(([key, model]) => {
      const figures = figuresOf(model);
      if (figures.parts.parameters !== model.parameters) {
        throw new Error(
          `${key}: the hyper-parameters give ${figures.parts.parameters} parameters, but ${model.parameters} are published`,
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
