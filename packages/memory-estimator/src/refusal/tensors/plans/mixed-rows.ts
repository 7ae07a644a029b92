/**
 * Parts of a layer, choices of a layer, parts outside of layers, and the architectures. A part that ends in `?` is optional.
 * A choice names what decides (see `Choice`), then the alternatives, separated by `|`. The alternatives of the other layers follow
 * after `||`.
 */
export type Row = readonly [
  layer: string,
  choices: readonly string[],
  shared: string,
  names: string,
];

/** Marks every part of a list as optional. */
export const maybe = (parts: string): string => parts.replace(/ |$/g, '? ').trim();

export const QKV_BIASES = 'attn_q.bias? attn_k.bias? attn_v.bias?';
const QKV = `any: attn_q attn_k attn_v ${QKV_BIASES} | attn_qkv attn_qkv.bias?`;
export const NORMED_KEYS = 'attn_q_norm attn_k_norm';
export const POST_NORMS = 'post_attention_norm post_ffw_norm';
const DECODER = 'attn_norm attn_output ffn_norm';
export const DENSE = 'ffn_gate ffn_up ffn_down';
export const DENSE_BIASES = 'ffn_gate.bias? ffn_up.bias? ffn_down.bias?';
export const ROUTED = 'ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps';
const UNGATED = 'ffn_gate_inp ffn_gate_exps? ffn_up_exps ffn_down_exps';
export const SHARED_EXPERT = 'ffn_gate_shexp ffn_up_shexp ffn_down_shexp';
const EXPERTS = `${ROUTED} ${SHARED_EXPERT}`;
/** The same, with the gates and the inputs of the experts in one tensor. */
const JOINED = `ffn_gate_inp ffn_gate_up_exps ffn_down_exps ${SHARED_EXPERT}`;
export const SCORES = 'exp_probs_b.bias';
const UNROUTED = maybe(`ffn_gate_exps ffn_up_exps ffn_down_exps ${SCORES}`);
/** A dense network, experts, or neither: the engine also loads a layer without a network, and experts without a router. */
const ANY_NETWORK = `any: ${UNROUTED} | ${DENSE} ${UNROUTED} | ${ROUTED} ${SCORES}? ${maybe(DENSE)}`;
const LEADING = `leading: ${DENSE} || ${EXPERTS}`;
const LEADING_JOINED = `leading: ${DENSE} || ${EXPERTS} ${SCORES}? | ${JOINED} ${SCORES}?`;
/** Dense layers, experts, and experts with a shared one. */
export const DENSE_OR_UNGATED = `any: ${DENSE} ${DENSE_BIASES} | ${UNGATED} | ${UNGATED} ${SHARED_EXPERT}`;
/** Factors for rotary positions of the architectures in `FACTORS_BY_SCALING`. */
const ROPE = maybe('rope_freqs rope_factors_long rope_factors_short');
const LATENT = `${DECODER} attn_kv_a_mqa attn_kv_a_norm`;
const LATENT_QUERIES = 'attn_q_a attn_q_a_norm attn_q_b';
const ANY_QUERIES = `any: attn_q | ${LATENT_QUERIES}`;
const LATENT_KEYS = 'any: attn_kv_b | attn_k_b attn_v_b';
const INDEXER = 'indexer.attn_k indexer.attn_q_b indexer.k_norm indexer.k_norm.bias indexer.proj';
const COMPRESSOR =
  'attn_compressor_ape attn_compressor_gate attn_compressor_kv attn_compressor_norm';
const INDEXER_OF_COMPRESSOR =
  'indexer.attn_q_b indexer.proj indexer_compressor_ape indexer_compressor_gate indexer_compressor_kv indexer_compressor_norm';
const HYPER_CONNECTION = 'hc_attn_base hc_attn_fn hc_attn_scale hc_ffn_base hc_ffn_fn hc_ffn_scale';
const ALTUP =
  'altup_correct_coef altup_correct_scale altup_predict_coef altup_router altup_router_norm inp_gate laurel_l laurel_post_norm laurel_r post_norm proj';
const GEMMA_4 = `${DECODER} attn_q attn_q_norm ${POST_NORMS} ${DENSE} layer_output_scale?`;
/** Gemma 4 has experts beside the dense network. */
const EXPERTS_OF_GEMMA_4 =
  'ffn_gate_inp ffn_gate_inp.scale post_ffw_norm_1 post_ffw_norm_2 pre_ffw_norm_2 ffn_down_exps';
const MORE_EXPERTS = `any: | ${EXPERTS_OF_GEMMA_4} ffn_gate_exps ffn_up_exps | ${EXPERTS_OF_GEMMA_4} ffn_gate_up_exps`;
const BORROWED_KEYS = `borrowing: ${maybe('attn_k attn_k_norm attn_v')} || attn_k attn_k_norm attn_v?`;
const ENCODER_OF_T5 = 'attn_norm attn_q attn_k attn_v attn_o ffn_norm ffn_up ffn_down';
const DECODER_OF_T5 = `${ENCODER_OF_T5} cross_attn_norm cross_attn_q cross_attn_k cross_attn_v cross_attn_o`;
const inEach = (prefix: string, parts: string): string =>
  parts
    .split(' ')
    .map((part) => `${prefix}.blk.*.${part}`)
    .join(' ');

/** Architectures without a recurrent state. */
export const ATTENTION_ROWS: readonly Row[] = [
  [DECODER, [QKV, LEADING], 'output?', 'deepseek'],
  [DECODER, ['any: attn_q attn_k attn_v', LEADING_JOINED], 'output?', 'deepseek2-ocr'],
  [LATENT, [ANY_QUERIES, LATENT_KEYS, LEADING_JOINED], 'output?', 'deepseek2 mistral4'],
  [
    `${LATENT} ${LATENT_QUERIES} attn_k_b attn_v_b ${INDEXER}`,
    [`${LEADING} ${SCORES}?`],
    'output?',
    'deepseek32',
  ],
  [
    `${LATENT} ${LATENT_QUERIES} attn_k_b attn_v_b ${maybe(INDEXER)}`,
    [`${LEADING} ${SCORES}?`],
    'output?',
    'glm-dsa',
  ],
  [
    `attn_norm attn_output post_attention_norm ${maybe(NORMED_KEYS)}`,
    [QKV, `${LEADING} ${SCORES}`],
    'output?',
    'glm4moe',
  ],
  [`${DECODER} ${NORMED_KEYS}`, [QKV, `${LEADING} ${SCORES}?`], 'output', 'dots1'],
  [`${DECODER} ${NORMED_KEYS}`, [QKV, `${LEADING} ${SCORES}?`], 'output rope_freqs?', 'exaone-moe'],
  [
    `${DECODER} ${NORMED_KEYS} attn_gate ${POST_NORMS}`,
    [QKV, `${LEADING} ${SCORES}`],
    'output?',
    'afmoe',
  ],
  [`${DECODER} ${NORMED_KEYS} attn_qkv`, [`${LEADING} ${SCORES}?`], 'output', 'bailingmoe2'],
  [
    `${DECODER} ${NORMED_KEYS}`,
    [
      QKV,
      `${LEADING} ${SCORES}`,
      'any: | indexer.k_norm indexer.k_proj indexer.q_norm indexer.q_proj',
    ],
    'output',
    'minimax-m3',
  ],
  ['attn_norm attn_output', [QKV, `${LEADING} | ${JOINED}`], 'output?', 'cohere2moe'],
  [
    `${DECODER} attn_output.bias?`,
    [QKV, `leading: ${DENSE} || ${UNGATED} ${SCORES}? | ${UNGATED} ${SHARED_EXPERT} ${SCORES}?`],
    'output?',
    'ernie4_5-moe',
  ],
  [`${DECODER} attn_output.bias?`, [QKV, DENSE_OR_UNGATED], `output? ${ROPE}`, 'granitemoe'],
  [DECODER, [QKV, `any: ${DENSE} | ${EXPERTS}`], 'output? rope_freqs?', 'llama4'],
  [`${DECODER} ${EXPERTS}`, [QKV], 'output', 'bailingmoe'],
  [`${DECODER} ${NORMED_KEYS} ${EXPERTS}`, [QKV], 'output?', 'hunyuan-moe'],
  [`${DECODER} ${NORMED_KEYS} ${ROUTED}`, [QKV], 'output', 'mellum'],
  [`${DECODER} ${ROUTED}`, [QKV], 'output?', 'smallthinker'],
  [
    `${DECODER} attn_output_norm ${UNGATED}`,
    [QKV, 'any: layer_output_norm | post_ffw_norm', `any: ffn_gate? ffn_down? | ${DENSE}`],
    'output?',
    'grok',
  ],
  [
    `${DECODER} ${NORMED_KEYS} exp_probs_b? ${maybe(SHARED_EXPERT)}`,
    [QKV, ANY_NETWORK],
    'output?',
    'hy_v3',
  ],
  [`${DECODER} attn_sinks?`, [QKV, ANY_NETWORK], 'output', 'mimo2'],
  [
    `${DECODER} ${maybe(`${NORMED_KEYS} attn_gate ${SHARED_EXPERT}`)}`,
    [QKV, ANY_NETWORK],
    'output rope_freqs?',
    'step35',
  ],
  [
    `${DECODER} ${NORMED_KEYS} ${POST_NORMS} ${DENSE} ${ALTUP}`,
    [QKV],
    'altup_proj altup_unembd_proj per_layer_token_embd per_layer_model_proj per_layer_proj_norm output?',
    'gemma3n',
  ],
  [GEMMA_4, [BORROWED_KEYS, MORE_EXPERTS], 'rope_freqs output?', 'gemma4'],
  [
    `${GEMMA_4} inp_gate post_norm proj`,
    [BORROWED_KEYS, MORE_EXPERTS],
    'rope_freqs output? per_layer_token_embd per_layer_model_proj per_layer_proj_norm',
    'gemma4+inputs',
  ],
  [
    `${DECODER} attn_qkv ${DENSE} vis_attn_output vis_attn_qkv vis_down vis_gate vis_up`,
    [],
    'output? rope_freqs?',
    'cogvlm',
  ],
  [
    'attn_output attn_qkv ffn_down ffn_norm ffn_up',
    ['layer-0: attn_norm? || attn_norm'],
    'token_embd_norm cls? cls.norm? cls.output? cls.output.bias?',
    'modern-bert',
  ],
  [
    'attn_output.bias? ffn_gate.bias? ffn_down.bias?',
    [
      `any: | attn_norm attn_output | attn_norm attn_output attn_q attn_k attn_v ${QKV_BIASES} | attn_norm attn_output attn_qkv attn_qkv.bias?`,
      `any: | ffn_norm ${DENSE} ffn_up.bias?`,
    ],
    `output? ${ROPE}`,
    'deci',
  ],
  [
    `${LATENT} ${LATENT_QUERIES} attn_kv_b ${DENSE}`,
    [],
    'output? rope_factors_long? rope_factors_short?',
    'minicpm3',
  ],
  [`${LATENT} attn_q attn_kv_b ffn_up ffn_down`, [], '', 'plm'],
  [
    `attn_kv attn_kv_a_norm attn_norm attn_output_a attn_output_b ${LATENT_QUERIES} attn_sinks ffn_norm ${EXPERTS} ${HYPER_CONNECTION}`,
    [
      `any: ffn_gate_tid2eid | ${SCORES}`,
      `any: | ${COMPRESSOR} | ${COMPRESSOR} ${INDEXER_OF_COMPRESSOR}`,
    ],
    'output output_hc_fn output_hc_base output_hc_scale',
    'deepseek4',
  ],
  ['', [], `enc.output_norm ${inEach('enc', ENCODER_OF_T5)} *?`, 't5encoder'],
  [
    '',
    [],
    `enc.output_norm dec.output_norm ${inEach('enc', ENCODER_OF_T5)} ${inEach('dec', DECODER_OF_T5)} *?`,
    't5',
  ],
];

/** Parts of a layer for multi-token prediction, and the architectures. The engine needs them where the metadata states such layers. */
export const NEXT_TOKEN_ROWS: readonly (readonly [parts: string, names: string])[] = [
  [
    `attn_norm attn_output post_attention_norm ${EXPERTS} ${SCORES} nextn.eh_proj nextn.enorm nextn.hnorm`,
    'glm4moe',
  ],
  [
    `${DECODER} ${NORMED_KEYS} attn_qkv ${EXPERTS} layer_output_norm nextn.eh_proj nextn.enorm nextn.hnorm`,
    'bailingmoe2',
  ],
  [`${DECODER} ${NORMED_KEYS} nextn.eh_proj nextn.enorm nextn.hnorm`, 'exaone-moe'],
  [
    `attn_norm attn_output post_attention_norm ${NORMED_KEYS} nextn.eh_proj nextn.enorm nextn.hnorm`,
    'qwen35',
  ],
];
