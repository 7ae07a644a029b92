/**
 * The tensors that llama.cpp loads for the architectures whose layers are all alike. Found by loading files with build 10257 of
 * llama.cpp (llama.node 1.7.15). Without a required tensor, it refused the file. An optional tensor may be missing. A file with
 * any other tensor was refused.
 */
export interface LayerPlan {
  /** Parts that each layer has: names after `blk.N.`, without `.weight`. `qkv` is attn_q, attn_k and attn_v, or attn_qkv. */
  readonly layer: readonly string[];
  /** The feed-forward network of a layer: `gated` has a separate gate, `plain` has no gate; `none`: no such network. */
  readonly feedForward: 'gated' | 'plain' | 'none';
  /** Tensors outside of layers, besides token_embd and output_norm. */
  readonly shared: readonly string[];
  /** Further parts of a layer that are loaded if they are there. */
  readonly optionalInLayer: readonly string[];
  /** Further tensors outside of layers that are loaded if they are there. */
  readonly optionalShared: readonly string[];
  /** Whether a network of experts needs a separate gate. */
  readonly gatedExperts: boolean;
}

const ATTENTION = 'qkv attn_norm attn_output';
const DECODER = `${ATTENTION} ffn_norm`;
const NORMED_KEYS = 'attn_q_norm attn_k_norm';
const POST_NORMS = 'post_attention_norm post_ffw_norm';
const BIASED_ATTENTION = `${ATTENTION} attn_norm.bias attn_output.bias`;
const BIASED = `${BIASED_ATTENTION} ffn_norm ffn_norm.bias ffn_up.bias ffn_down.bias`;
const ENCODER =
  'qkv attn_output attn_output_norm attn_output_norm.bias layer_output_norm layer_output_norm.bias';
const ENCODER_SHARED = 'token_embd_norm token_embd_norm.bias';

/** Biases of `qkv`, which every architecture may have. */
const QKV_BIASES = 'attn_q.bias attn_k.bias attn_v.bias attn_qkv.bias';
const FEED_FORWARD_BIASES = 'ffn_gate.bias ffn_up.bias ffn_down.bias';

/** Parts of a layer, parts outside of layers, and the architectures. */
type Row = readonly [layer: string, shared: string, architectures: string];

const GATED: readonly Row[] = [
  [
    DECODER,
    '',
    'dream ernie4_5 eurobert exaone gemma granite llada llama llama-embed minicpm mistral3 nanbeige paddleocr qwen2 qwen2vl refact smollm3',
  ],
  [DECODER, 'output', 'baichuan internlm2 xverse'],
  [
    `${DECODER} ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp`,
    'output',
    'qwen2moe',
  ],
  [`${DECODER} attn_qkv.bias`, 'output', 'qwen'],
  [`${DECODER} attn_output.bias`, '', 'pangu-embedded'],
  [`${DECODER} ffn_norm_exps ffn_gate ffn_up ffn_down`, '', 'arctic'],
  [`${DECODER} attn_sub_norm ffn_sub_norm`, '', 'bitnet'],
  [
    `${DECODER} ${NORMED_KEYS}`,
    '',
    'chameleon hunyuan-dense hunyuan_vl maincoder openelm qwen3 qwen3moe qwen3vl qwen3vlmoe rnd1',
  ],
  [`${DECODER} ${NORMED_KEYS}`, 'output', 'llada-moe minimax-m2 olmoe'],
  [`${DECODER} ${NORMED_KEYS} ffn_gate_chexps ffn_up_chexps ffn_down_chexps`, '', 'grovemoe'],
  [`${DECODER} ${POST_NORMS}`, '', 'gemma2'],
  [`${DECODER} ${NORMED_KEYS} ${POST_NORMS}`, '', 'gemma3 gemma-embedding'],
  [`qkv attn_output ${NORMED_KEYS} ${POST_NORMS}`, 'output', 'olmo2'],
  [`qkv attn_output ${NORMED_KEYS} ${POST_NORMS}`, '', 'exaone4'],
  [ATTENTION, '', 'cohere2 command-r'],
  [ATTENTION, 'output', 'plamo'],
  [`${ATTENTION} attn_norm.bias`, 'output output_norm.bias', 'stablelm'],
  [`${ATTENTION} post_attention_norm`, '', 'seed_oss'],
  [`${ATTENTION} attn_output_norm`, 'output', 'dbrx'],
  [
    `${ATTENTION} attn_output.bias attn_sinks post_attention_norm ffn_gate_inp.bias ffn_gate_exps.bias ffn_up_exps.bias ffn_down_exps.bias`,
    'output',
    'gpt-oss',
  ],
  [`${DECODER} attn_norm.bias ffn_norm.bias`, 'output output_norm.bias', 'orion'],
  [`${BIASED_ATTENTION} ffn_norm ffn_norm.bias`, 'output output.bias output_norm.bias', 'phimoe'],
  [`${BIASED} attn_qkv.bias ffn_gate.bias`, 'output output_norm.bias', 'jais'],
  ['qkv attn_output', '', 'olmo'],
  ['qkv attn_output attn_q_norm layer_output_scale', 'output', 'talkie'],
  [ENCODER, ENCODER_SHARED, 'nomic-bert'],
];

const PLAIN: readonly Row[] = [
  [DECODER, '', 'arcee chatglm mpt phi3'],
  [DECODER, 'enc.output_norm', 'neo-bert'],
  [`${DECODER} ${POST_NORMS}`, '', 'glm4'],
  [`${DECODER} ${NORMED_KEYS}`, 'output', 'apertus'],
  [`${DECODER} ${NORMED_KEYS} ${POST_NORMS}`, '', 'plamo3'],
  [`${DECODER} attn_norm.bias ffn_norm.bias`, 'output output_norm.bias', 'nemotron'],
  [`${ATTENTION} attn_norm.bias`, 'output_norm.bias', 'falcon'],
  [BIASED, 'output_norm.bias', 'starcoder2'],
  [BIASED, 'output output_norm.bias', 'codeshell'],
  [`${BIASED} attn_q.bias attn_k.bias attn_v.bias`, 'output_norm.bias', 'jais2'],
  [`${BIASED} attn_qkv.bias`, 'output_norm.bias position_embd', 'gpt2 starcoder'],
  [`${BIASED} attn_qkv.bias`, `output_norm.bias ${ENCODER_SHARED}`, 'bloom'],
  [`${BIASED} attn_qkv.bias`, 'output output_norm.bias', 'gptneox'],
  [`${BIASED_ATTENTION} ffn_up.bias ffn_down.bias`, 'output output.bias output_norm.bias', 'phi2'],
  [ENCODER, ENCODER_SHARED, 'jina-bert-v3 nomic-bert-moe'],
  [ENCODER, `${ENCODER_SHARED} position_embd`, 'bert'],
  [`${ENCODER} attn_output.bias ffn_down.bias`, `${ENCODER_SHARED} token_types`, 'jina-bert-v2'],
];

const STATE = 'attn_norm ssm_a ssm_conv1d ssm_conv1d.bias ssm_d ssm_dt.bias ssm_in ssm_out';
const STATE_SPACE: readonly Row[] = [
  [`${STATE} ssm_dt ssm_x`, '', 'mamba'],
  [`${STATE} ssm_norm`, '', 'mamba2'],
];

const ROPE_FACTORS = 'rope_factors_long rope_factors_short';

/** Tensors that only some architectures load, besides `output` and the biases of `qkv`. */
const OPTIONAL: readonly (readonly [tensors: string, architectures: string])[] = [
  [
    `attn_output.bias ${FEED_FORWARD_BIASES} rope_freqs`,
    'granite llada llama llama-embed minicpm mistral3 refact',
  ],
  [ROPE_FACTORS, 'granite llama llama-embed minicpm mistral3 phi3 phimoe refact'],
  ['attn_output.bias', 'ernie4_5 paddleocr'],
  ['rope_freqs', 'arcee exaone exaone4 nanbeige pangu-embedded'],
  ['output.bias', 'dream qwen2 qwen2vl'],
  ['cls cls.bias cls.output cls.output.bias', 'bert neo-bert qwen3 qwen3vl'],
  ['dense_2 dense_3', 'gemma3 gemma-embedding'],
  ['attn_norm_2 attn_norm_2.bias', 'falcon'],
  [
    'attn_q_norm attn_q_norm.bias attn_k_norm attn_k_norm.bias attn_norm.bias attn_output.bias ffn_norm.bias ffn_up.bias ffn_down.bias ffn.act output_norm.bias position_embd',
    'mpt',
  ],
  [
    'attn_output.bias ffn_up.bias ffn_down.bias token_types',
    'bert jina-bert-v3 nomic-bert nomic-bert-moe',
  ],
  ['attn_q_norm.bias attn_k_norm.bias', 'apertus chameleon'],
  ['attn_output.bias rope_freqs', 'apertus'],
  ['attn_q_norm attn_k_norm ffn_norm ffn_norm.bias', 'stablelm'],
  ['attn_output.bias ffn_up.bias ffn_down.bias', 'nemotron'],
  ['exp_probs_b.bias', 'minimax-m2'],
  [
    'attn_q_norm attn_q_norm.bias attn_k_norm attn_k_norm.bias attn_norm_2 attn_norm_2.bias ffn_up.bias cls cls.bias',
    'jina-bert-v2',
  ],
];

/**
 * Architectures that need networks of experts where the metadata states experts. Others ignore the number of experts, or also
 * load networks without experts.
 */
export const NEEDS_EXPERTS: ReadonlySet<string> = new Set(
  [
    'afmoe arctic bailingmoe bailingmoe2 dbrx deepseek deepseek2 deepseek2-ocr deepseek32 dots1 ernie4_5-moe',
    'exaone-moe glm-dsa glm4moe gpt-oss granite granitehybrid granitemoe grok grovemoe hunyuan-moe',
    'kimi-linear lfm2moe llada-moe llama llama-embed llama4 mellum minicpm minimax-m2 minimax-m3 mistral3',
    'mistral4 nemotron_h nemotron_h_moe olmoe phimoe qwen2moe qwen35moe qwen3moe qwen3next qwen3vlmoe refact',
    'rnd1 smallthinker',
  ].flatMap((line) => line.split(' ')),
);

/** Architectures that load `ROPE_FACTORS` where the metadata states the scaling `longrope`, and else `rope_freqs`. */
export const FACTORS_BY_SCALING: ReadonlySet<string> = new Set(
  'deci granite granitemoe llama llama-embed minicpm mistral3 refact'.split(' '),
);

/** Tensors of `OPTIONAL` that are outside of layers. */
const OUTSIDE = /^(output|output_norm|rope_f\w+|cls|dense_\d|token_types|position_embd)(\.|$)/;

/** Architectures whose networks of experts may lack gates. */
const OPTIONAL_GATES = new Set('granite llama llama-embed minicpm mistral3 refact'.split(' '));

/** Architectures whose queries, keys and values have no biases. */
const WITHOUT_BIASES = new Set(['bitnet', 'llada']);

const ROWS = [
  [GATED, 'gated'],
  [PLAIN, 'plain'],
  [STATE_SPACE, 'none'],
] as const;

/** The plans that were asked for, because making all plans takes 2 ms of each start. */
const plans = new Map<string, LayerPlan | null>();

/** The plan of an architecture; `null` where its layers differ or are not known. */
export function layerPlanOf(architecture: string): LayerPlan | null {
  const known = plans.get(architecture);
  if (known !== undefined) return known;
  const plan = makePlan(architecture);
  plans.set(architecture, plan);
  return plan;
}

function makePlan(name: string): LayerPlan | null {
  const isFor = (architectures: string): boolean => architectures.split(' ').includes(name);
  for (const [rows, feedForward] of ROWS) {
    const row = rows.find(([, , architectures]) => isFor(architectures));
    if (row === undefined) continue;
    const [layer, shared] = row;
    const optional = OPTIONAL.flatMap(([tensors, architectures]) =>
      isFor(architectures) ? tensors.split(' ') : [],
    );
    return {
      layer: layer.split(' '),
      feedForward,
      shared: shared === '' ? [] : shared.split(' '),
      optionalInLayer: [
        ...(feedForward === 'none' || WITHOUT_BIASES.has(name) ? [] : QKV_BIASES.split(' ')),
        ...optional.filter((tensor) => !OUTSIDE.test(tensor)),
      ],
      optionalShared: ['output', ...optional.filter((tensor) => OUTSIDE.test(tensor))],
      gatedExperts: feedForward === 'gated' && !OPTIONAL_GATES.has(name),
    };
  }
  return null;
}
