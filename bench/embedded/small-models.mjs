// The small models of bench/accuracy with a tokenizer, so that the engine can process prompts.
//
// The tensors are holes in the file (zeros). The engine maps weights, and a mapped page is not anonymous memory
// whether the file has data or a hole. Caches, states and compute buffers do not depend on the values of weights.
import { shapes } from '../accuracy/src/models/shapes.mjs';

const BYTES = 256;
const CONTROL_TOKENS = ['<|im_start|>', '<|im_end|>', '<|endoftext|>'];
const NORMAL = 1;
const CONTROL = 3;
/** LLAMA_POOLING_TYPE_LAST in llama.h. */
const POOLING_LAST = 3;

/** Returns the { metadata, tensors } of each model by name. */
export function smallModels() {
  const models = Object.entries(shapes()).map(([name, shape]) => [name, withTokenizer(shape)]);
  return { ...Object.fromEntries(models), 'qwen3-embedding': asEmbedding(shapes().qwen3) };
}

/** A decoder whose last token is the embedding, such as Qwen3-Embedding. */
function asEmbedding(shape) {
  const { metadata, tensors } = withTokenizer(shape);
  return { metadata: { ...metadata, 'qwen3.pooling_type': POOLING_LAST }, tensors };
}

/** Each byte is one token, so a prompt has as many tokens as ASCII characters. */
function withTokenizer({ metadata, tensors }) {
  const architecture = metadata['general.architecture'];
  const size = metadata[`${architecture}.vocab_size`];
  const last = size - CONTROL_TOKENS.length;
  const tokens = byteTokens();
  while (tokens.length < last) tokens.push(`<unused${tokens.length}>`);
  tokens.push(...CONTROL_TOKENS);
  return {
    metadata: {
      ...metadata,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': tokens.map((_, i) => (i < last ? NORMAL : CONTROL)),
      'tokenizer.ggml.merges': ['a a'],
      'tokenizer.ggml.bos_token_id': size - 1,
      'tokenizer.ggml.eos_token_id': size - 2,
    },
    tensors,
  };
}

/** The character that stands for each byte in GPT-2's vocabulary. Printable bytes stand for themselves. */
function byteTokens() {
  const isPrintable = (byte) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = BYTES;
  return Array.from({ length: BYTES }, (_, byte) =>
    String.fromCodePoint(isPrintable(byte) ? byte : next++),
  );
}
