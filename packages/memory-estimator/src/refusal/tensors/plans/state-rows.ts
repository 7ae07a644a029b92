import {
  DENSE,
  DENSE_BIASES,
  DENSE_OR_UNGATED,
  maybe,
  NORMED_KEYS,
  POST_NORMS,
  QKV_BIASES,
  ROUTED,
  SCORES,
  SHARED_EXPERT,
  type Row,
} from './mixed-rows.js';

const STATE_WITHOUT_NORM = 'ssm_a ssm_conv1d ssm_d ssm_dt.bias ssm_in ssm_out ssm_conv1d.bias?';
const STATE = `${STATE_WITHOUT_NORM} ssm_norm`;
const NORMED_STATE =
  'ssm_a ssm_b_norm ssm_c_norm ssm_conv1d ssm_d ssm_dt ssm_dt.bias ssm_dt_norm ssm_in ssm_out ssm_x';
const DELTA_STATE = 'ssm_a ssm_conv1d ssm_dt.bias ssm_norm ssm_out attn_qkv? attn_gate?';
const CONVOLUTION = 'shortconv.conv shortconv.in_proj shortconv.out_proj';
const LINEAR_STATE =
  'ssm_a ssm_beta ssm_conv1d_k ssm_conv1d_q ssm_conv1d_v ssm_dt.bias ssm_f_a ssm_f_b ssm_g_a ssm_g_b ssm_norm';
/** Separate queries, keys and values, or all in one tensor. */
const SEPARATE = `attn_q attn_k attn_v ${QKV_BIASES}`;
const ATTENTION = `${SEPARATE} attn_output | attn_qkv attn_qkv.bias? attn_output`;
const NORMED_ATTENTION = ATTENTION.replaceAll('attn_output', `attn_output ${NORMED_KEYS}`);
const BIASED_ATTENTION = ATTENTION.replaceAll('attn_output', 'attn_output attn_output.bias?');
const QWEN_EXPERTS = `ffn_gate_inp ffn_down_exps ${SHARED_EXPERT} ffn_gate_inp_shexp`;
const ANY_GATES = 'any: ffn_gate_exps ffn_up_exps | ffn_gate_up_exps';
const TIME_MIX =
  'time_mix_a0 time_mix_a1 time_mix_a2 time_mix_k_a time_mix_k_k time_mix_key time_mix_lerp_fused time_mix_output time_mix_r_k time_mix_receptance time_mix_v0 time_mix_v1 time_mix_v2 time_mix_value time_mix_w0 time_mix_w1 time_mix_w2';
const TIME_MIX_NORM = 'time_mix_ln time_mix_ln.bias';
const TIME_MIX_GATE = 'time_mix_g1 time_mix_g2';
const TIME_LERP = 'time_mix_lerp_g time_mix_lerp_k time_mix_lerp_r time_mix_lerp_v time_mix_lerp_w';
const TIME_DECAY =
  'time_mix_decay time_mix_decay_w1 time_mix_decay_w2 time_mix_gate time_mix_key time_mix_lerp_x time_mix_output time_mix_receptance time_mix_value time_mix_w1 time_mix_w2';
const RWKV_NORMS = 'attn_norm attn_norm.bias attn_norm_2 attn_norm_2.bias';
const RWKV_SHARED = 'token_embd_norm token_embd_norm.bias output_norm.bias output';

/** Architectures with a recurrent state. */
export const STATE_ROWS: readonly Row[] = [
  [
    `attn_norm attn_output ffn_norm ${DENSE} ${DENSE_BIASES} attn_output.bias? ssm_norm? ${STATE_WITHOUT_NORM}`,
    [`any: ${SEPARATE} | attn_qkv attn_qkv.bias?`],
    'output? rope_freqs?',
    'falcon-h1',
  ],
  [
    `attn_norm post_attention_norm ${QWEN_EXPERTS}`,
    [ANY_GATES, `recurrent: ssm_ba ssm_in? ${DELTA_STATE} || ${NORMED_ATTENTION}`],
    'output?',
    'qwen3next',
  ],
  [
    `attn_norm post_attention_norm ${QWEN_EXPERTS}`,
    [ANY_GATES, `recurrent: ssm_alpha ssm_beta ${DELTA_STATE} || ${NORMED_ATTENTION}`],
    'output?',
    'qwen35moe',
  ],
  [
    `attn_norm post_attention_norm ${DENSE}`,
    [`recurrent: ssm_alpha ssm_beta ${DELTA_STATE} || ${NORMED_ATTENTION}`],
    'output?',
    'qwen35',
  ],
  [
    'attn_norm',
    [
      `recurrent: ${STATE} || ${BIASED_ATTENTION} | ffn_up ffn_down ffn_up.bias? ffn_down.bias? | ffn_gate_inp ffn_up_exps ffn_down_exps ffn_up_shexp ffn_down_shexp ${SCORES} ffn_latent_down? ffn_latent_up?`,
    ],
    'output?',
    'nemotron_h nemotron_h_moe',
  ],
  [
    'attn_norm ffn_norm',
    [`recurrent: ${STATE} || ${BIASED_ATTENTION}`, DENSE_OR_UNGATED],
    'output? rope_freqs?',
    'granitehybrid',
  ],
  [
    'attn_norm ffn_norm',
    [`recurrent: ${NORMED_STATE} ssm_conv1d.bias || ${ATTENTION}`, `any: ${DENSE} | ${ROUTED}`],
    'output?',
    'jamba',
  ],
  [
    `attn_norm ffn_norm ${POST_NORMS} ffn_up ffn_down`,
    [`recurrent: ${NORMED_STATE} || attn_qkv attn_output ${NORMED_KEYS}`],
    'output?',
    'plamo2',
  ],
  [
    'attn_norm ffn_norm',
    [
      `recurrent: ${CONVOLUTION} || ${NORMED_ATTENTION}`,
      `leading: ${DENSE} || ${ROUTED} ${SCORES}`,
    ],
    'token_embd_norm output? dense_2? dense_2.bias?',
    'lfm2moe',
  ],
  [
    `attn_norm ffn_norm ${DENSE}`,
    [`recurrent: ${CONVOLUTION} || ${NORMED_ATTENTION}`],
    'token_embd_norm output? dense_2? dense_2.bias?',
    'lfm2',
  ],
  [
    'attn_norm attn_output ffn_norm',
    [
      `recurrent: ${SEPARATE} ${LINEAR_STATE} | attn_qkv attn_qkv.bias? ${LINEAR_STATE} || attn_q attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_q_a_norm?`,
      `leading: ${DENSE} || ${ROUTED} ${SCORES} ${maybe(SHARED_EXPERT)}`,
    ],
    'output',
    'kimi-linear',
  ],
  [
    `${RWKV_NORMS} ${TIME_MIX} ${TIME_MIX_NORM} ${TIME_MIX_GATE} channel_mix_key channel_mix_lerp_k channel_mix_value`,
    [],
    RWKV_SHARED,
    'rwkv7',
  ],
  [
    `attn_norm ffn_norm ${DENSE} ${TIME_MIX} ${maybe(TIME_MIX_NORM)} ${maybe(TIME_MIX_GATE)}`,
    [],
    'output',
    'arwkv7',
  ],
  [
    `${RWKV_NORMS} ${TIME_DECAY} time_mix_first ${TIME_MIX_NORM} channel_mix_key channel_mix_lerp_k channel_mix_lerp_r channel_mix_receptance channel_mix_value`,
    [`any: time_mix_lerp_fused ${maybe(TIME_LERP)} | ${TIME_LERP}`],
    RWKV_SHARED,
    'rwkv6',
  ],
  [
    `attn_norm ffn_norm ${DENSE} ${TIME_DECAY} time_mix_lerp_fused ${maybe('time_mix_first time_mix_key.bias time_mix_receptance.bias time_mix_value.bias')}`,
    [],
    'output output_norm.bias?',
    'rwkv6qwen2',
  ],
];
