import type { TensorShape } from '../src/noise-model/gguf-file.js';
import { linear, norm, tensor, writeNoiseFile } from './noise-file.js';

const WIDTH = 256;
const INNER_WIDTH = 512;
const LAYERS = 2;
const CONTEXT = 512;
const CONTROL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
/** Words of one letter, and letters within words. A word begins with U+2581 in a GGUF file. */
const TOKENS = [
  ...CONTROL,
  ...[...'abcdefghijklmnopqrstuvwxyz'].flatMap((letter) => [`▁${letter}`, letter]),
];
const POOLING_MEAN = 1;

/** Writes an encoder of BERT's architecture with random weights, as the usual embedding models have it. */
export function writeNoiseEncoder(file: string): Promise<void> {
  return writeNoiseFile(file, metadata(), tensorsOf());
}

function metadata() {
  return {
    'general.architecture': 'bert',
    'general.name': 'encoder',
    'bert.context_length': CONTEXT,
    'bert.embedding_length': WIDTH,
    'bert.block_count': LAYERS,
    'bert.feed_forward_length': INNER_WIDTH,
    'bert.attention.head_count': 4,
    'bert.attention.layer_norm_epsilon': { float32: 1e-5 },
    'bert.attention.causal': false,
    'bert.pooling_type': POOLING_MEAN,
    'tokenizer.ggml.model': 'bert',
    'tokenizer.ggml.pre': 'jina-v2-en',
    'tokenizer.ggml.token_type_count': 2,
    'tokenizer.ggml.tokens': TOKENS,
    'tokenizer.ggml.padding_token_id': 0,
    'tokenizer.ggml.unknown_token_id': 1,
    'tokenizer.ggml.bos_token_id': 2,
    'tokenizer.ggml.cls_token_id': 2,
    'tokenizer.ggml.eos_token_id': 3,
    'tokenizer.ggml.seperator_token_id': 3,
    'tokenizer.ggml.mask_token_id': 4,
  };
}

function tensorsOf(): readonly TensorShape[] {
  return [
    tensor('token_embd.weight', WIDTH, TOKENS.length),
    tensor('token_types.weight', WIDTH, 2),
    tensor('position_embd.weight', WIDTH, CONTEXT),
    ...norm('token_embd_norm', WIDTH),
    ...Array.from({ length: LAYERS }, (_, layer) => `blk.${layer}`).flatMap((block) => [
      ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].flatMap((name) =>
        linear(`${block}.${name}`, WIDTH, WIDTH),
      ),
      ...norm(`${block}.attn_output_norm`, WIDTH),
      ...linear(`${block}.ffn_up`, WIDTH, INNER_WIDTH),
      ...linear(`${block}.ffn_down`, INNER_WIDTH, WIDTH),
      ...norm(`${block}.layer_output_norm`, WIDTH),
    ]),
  ];
}
