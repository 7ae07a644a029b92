import { createVocabulary, vocabularyMetadata } from '../src/noise-model/vocabulary.js';
import { tensor, writeNoiseFile } from './noise-file.js';

const WIDTH = 256;
const INNER_WIDTH = 512;
const HEADS = 4;
const KEY_HEADS = 1;
/** Every fourth layer of Cohere 2 sees all tokens. */
const LAYERS = 4;
/** The smallest vocabulary has a token for each byte, so each text can be divided in one way only. */
const VOCABULARY_SIZE = 259;
const TEMPLATE = `{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

/**
 * Writes a model of Cohere 2's architecture with random weights. Three of four layers see `windowTokens` tokens. It answers
 * with letters and does not end an answer itself, because the vectors of all other tokens are 0.
 */
export function writeNoiseWindowModel(file: string, windowTokens: number): Promise<void> {
  const vocabulary = createVocabulary(VOCABULARY_SIZE);
  const metadata = {
    'general.architecture': 'cohere2',
    'general.name': 'window',
    'cohere2.context_length': 4096,
    'cohere2.embedding_length': WIDTH,
    'cohere2.block_count': LAYERS,
    'cohere2.feed_forward_length': INNER_WIDTH,
    'cohere2.attention.head_count': HEADS,
    'cohere2.attention.head_count_kv': KEY_HEADS,
    'cohere2.attention.layer_norm_epsilon': { float32: 1e-5 },
    'cohere2.attention.sliding_window': windowTokens,
    'cohere2.rope.dimension_count': WIDTH / HEADS,
    'cohere2.logit_scale': { float32: 1 },
    'tokenizer.chat_template': TEMPLATE,
    ...vocabularyMetadata(vocabulary),
  };
  const isLetter = (token: number): boolean => /^[a-z]$/.test(vocabulary.tokens[token] ?? '');
  const rowBytes = WIDTH * Float32Array.BYTES_PER_ELEMENT;
  const keys = (WIDTH / HEADS) * KEY_HEADS;
  return writeNoiseFile(
    file,
    metadata,
    [
      tensor('token_embd.weight', WIDTH, VOCABULARY_SIZE),
      tensor('output_norm.weight', WIDTH),
      ...Array.from({ length: LAYERS }, (_, layer) => `blk.${layer}`).flatMap((block) => [
        tensor(`${block}.attn_norm.weight`, WIDTH),
        tensor(`${block}.attn_q.weight`, WIDTH, WIDTH),
        tensor(`${block}.attn_k.weight`, WIDTH, keys),
        tensor(`${block}.attn_v.weight`, WIDTH, keys),
        tensor(`${block}.attn_output.weight`, WIDTH, WIDTH),
        tensor(`${block}.ffn_gate.weight`, WIDTH, INNER_WIDTH),
        tensor(`${block}.ffn_up.weight`, WIDTH, INNER_WIDTH),
        tensor(`${block}.ffn_down.weight`, INNER_WIDTH, WIDTH),
      ]),
    ],
    (name, bytes) => {
      if (name !== 'token_embd.weight') return;
      for (let token = 0; token < VOCABULARY_SIZE; token += 1)
        if (!isLetter(token)) bytes.fill(0, token * rowBytes, (token + 1) * rowBytes);
    },
  );
}
