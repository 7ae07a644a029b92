import { open } from 'node:fs/promises';
import { encodeHeader, paddedBytes, tensorBytes, type TensorShape } from './gguf-file.js';
import { checkShape, type NoiseModelShape } from './noise-model-shape.js';
import { createRandom } from './random.js';
import { createVocabulary, vocabularyMetadata } from './vocabulary.js';

/** ChatML, with tools in the form of Hermes. */
const CHAT_TEMPLATE = `{%- if tools %}<|im_start|>system
You may call functions. Their signatures stand within <tools></tools>:
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
For each call, return a JSON object within <tool_call></tool_call>:
<tool_call>
{"name": <name>, "arguments": <arguments>}
</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.content %}{{ message.content }}{% endif %}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

const HEAD_SIZE = 64;
const WIDTHS = [256, 512, 768, 1024, 1536, 2048, 3072, 4096];
/** Smallest width of a model for each of its layers. Published models have 64 to 128. */
const LAYER_WIDTH = 32;
const QUERY_HEADS_PER_KEY_HEAD = 4;
const FEED_FORWARD_RATIO = 3;
/** The scale of each block as a half float: 2^-10, so that weights lie between -0.125 and 0.125. */
const BLOCK_SCALE = 0x1400;
/** GGUF's number of a file whose tensors are mostly Q8_0, from llama.h. */
const MOSTLY_Q8_0 = 7;
/** GGUF's number of the pooling that takes the mean of all tokens, from llama.h. */
const POOLING_MEAN = 1;

/**
 * Writes a GGUF file that llama.cpp loads: a language model of llama's architecture with random Q8_0 weights. Its
 * answers are noise, and its memory and its speed are those of a trained model of the same shape.
 *
 * @returns the size of the file in bytes
 * @throws RangeError for a shape that llama.cpp cannot load. No file is written then.
 */
export async function writeNoiseModel(
  file: string,
  shape: NoiseModelShape,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<number> {
  checkShape(shape);
  const tensors = tensorsOf(shape);
  const header = encodeHeader(metadataOf(shape), tensors);
  const random = createRandom(shape.seed ?? 1);
  await using target = await open(file, 'w');
  await target.write(header);
  let written = header.length;
  for (const tensor of tensors) {
    signal?.throwIfAborted();
    const data = Buffer.alloc(paddedBytes(tensor));
    fill(data.subarray(0, tensorBytes(tensor)), tensor, random);
    await target.write(data);
    written += data.length;
  }
  return written;
}

/**
 * The size in bytes of the file that `writeNoiseModel` writes.
 *
 * @throws RangeError for a shape that llama.cpp cannot load
 */
export function noiseModelBytes(shape: NoiseModelShape): number {
  checkShape(shape);
  return fileBytes(shape);
}

function fileBytes(shape: NoiseModelShape): number {
  const tensors = tensorsOf(shape);
  const header = encodeHeader(metadataOf(shape), tensors).length;
  return tensors.reduce((sum, tensor) => sum + paddedBytes(tensor), header);
}

/**
 * The shape of a language model whose file has `targetBytes` bytes within a sixth, and within a tenth from 12 MiB on. Of
 * the widths that suit the depth, the one whose file is nearest.
 *
 * @throws RangeError where no shape comes that near; from 8 MiB to 24 GiB, each size has one
 */
export function noiseModelShape(targetBytes: number): {
  readonly layers: number;
  readonly width: number;
} {
  const shapes = WIDTHS.map((width) => {
    const empty = fileBytes({ layers: 0, width });
    const layerBytes = fileBytes({ layers: 1, width }) - empty;
    const layers = Math.max(1, Math.round((targetBytes - empty) / layerBytes));
    const distance = Math.abs(empty + layers * layerBytes - targetBytes);
    return { width, layers, distance };
  }).filter(({ width, layers }) => layers <= width / LAYER_WIDTH);
  const [nearest] = shapes.toSorted((a, b) => a.distance - b.distance);
  if (nearest === undefined || nearest.distance > targetBytes / 6) {
    throw new RangeError(
      `No noise model has a file of ${targetBytes} bytes. Choose a size from 8 MiB to 24 GiB.`,
    );
  }
  return { width: nearest.width, layers: nearest.layers };
}

function metadataOf({
  name = 'noise',
  kind = 'llm',
  layers,
  width,
  vocabularySize = 512,
  maxContextLengthTokens = 32_768,
  metadata = {},
}: NoiseModelShape): Parameters<typeof encodeHeader>[0] {
  const heads = width / HEAD_SIZE;
  const architecture = kind === 'llm' ? 'llama' : 'qwen3';
  return {
    'general.architecture': architecture,
    'general.name': name,
    'general.file_type': MOSTLY_Q8_0,
    [`${architecture}.context_length`]: maxContextLengthTokens,
    [`${architecture}.embedding_length`]: width,
    [`${architecture}.block_count`]: layers,
    [`${architecture}.feed_forward_length`]: width * FEED_FORWARD_RATIO,
    [`${architecture}.attention.head_count`]: heads,
    [`${architecture}.attention.head_count_kv`]: heads / QUERY_HEADS_PER_KEY_HEAD,
    [`${architecture}.attention.layer_norm_rms_epsilon`]: 1e-5,
    [`${architecture}.rope.dimension_count`]: HEAD_SIZE,
    ...(kind === 'llm'
      ? { 'tokenizer.chat_template': CHAT_TEMPLATE }
      : {
          'qwen3.attention.key_length': HEAD_SIZE,
          'qwen3.attention.value_length': HEAD_SIZE,
          'qwen3.pooling_type': POOLING_MEAN,
        }),
    ...vocabularyMetadata(createVocabulary(vocabularySize)),
    ...metadata,
  };
}

function tensorsOf({
  kind = 'llm',
  layers,
  width,
  vocabularySize = 512,
}: NoiseModelShape): TensorShape[] {
  const matrix = (name: string, ...dimensions: number[]): TensorShape => ({
    name: `${name}.weight`,
    dimensions,
    type: 'Q8_0',
  });
  const norm = (name: string, size = width): TensorShape => ({
    name: `${name}.weight`,
    dimensions: [size],
    type: 'F32',
  });
  const keys = width / QUERY_HEADS_PER_KEY_HEAD;
  const inner = width * FEED_FORWARD_RATIO;
  return [
    matrix('token_embd', width, vocabularySize),
    norm('output_norm'),
    matrix('output', width, vocabularySize),
    ...Array.from({ length: layers }, (_, layer) => [
      norm(`blk.${layer}.attn_norm`),
      matrix(`blk.${layer}.attn_q`, width, width),
      matrix(`blk.${layer}.attn_k`, width, keys),
      matrix(`blk.${layer}.attn_v`, width, keys),
      matrix(`blk.${layer}.attn_output`, width, width),
      ...(kind === 'llm'
        ? []
        : [
            norm(`blk.${layer}.attn_q_norm`, HEAD_SIZE),
            norm(`blk.${layer}.attn_k_norm`, HEAD_SIZE),
          ]),
      norm(`blk.${layer}.ffn_norm`),
      matrix(`blk.${layer}.ffn_gate`, width, inner),
      matrix(`blk.${layer}.ffn_up`, width, inner),
      matrix(`blk.${layer}.ffn_down`, inner, width),
    ]).flat(),
  ];
}

/** Weights of 1 for a norm; random numbers with a small scale for each block of a matrix. */
function fill(data: Buffer, { type }: TensorShape, random: () => number): void {
  if (type === 'F32') {
    for (let at = 0; at < data.length; at += 4) data.writeFloatLE(1, at);
    return;
  }
  const view = new Uint32Array(data.length / 4 + 1);
  for (let at = 0; at < view.length; at += 1) view[at] = random();
  Buffer.from(view.buffer).copy(data, 0, 0, data.length);
  for (let at = 0; at < data.length; at += 34) data.writeUInt16LE(BLOCK_SCALE, at);
}
