// Small models of many architectures, with the metadata and tensors that llama.cpp v0.5.0 requires
// (src/models/*.cpp). The sizes are small and arbitrary. The models together have every part of the estimate.

/** Returns the { metadata, tensors } of each shape by the shape's name. */
export function shapes() {
  return {
    llama: transformer('llama', {}),
    'llama-tied': transformer('llama', { tied: true, vocab: 32768, headDim: 64 }),
    'llama-wide': transformer('llama', { embd: 1024, ff: 6144, heads: 16, kvHeads: 2 }),
    mixtral: transformer('llama', { experts: 8, usedExperts: 2, expertFf: 1024 }),
    mistral3: transformer('mistral3', { headDim: 96 }),
    qwen2: transformer('qwen2', { qkvBias: true }),
    qwen2moe: transformer('qwen2moe', {
      qkvBias: true,
      experts: 16,
      usedExperts: 4,
      expertFf: 256,
      sharedFf: 768,
      sharedGate: true,
    }),
    qwen3: transformer('qwen3', { qkNorm: true, headDim: 128, vocab: 40000 }),
    qwen3moe: transformer('qwen3moe', { qkNorm: true, experts: 32, usedExperts: 8, expertFf: 256 }),
    gemma2: transformer('gemma2', {
      tied: true,
      postNorms: true,
      headDim: 128,
      meta: {
        'attention.sliding_window': 1024,
        attn_logit_softcapping: 50.5,
        final_logit_softcapping: 30.5,
      },
    }),
    gemma3: transformer('gemma3', {
      tied: true,
      postNorms: true,
      qkNorm: true,
      layers: 12,
      headDim: 128,
      meta: { 'attention.sliding_window': 512 },
    }),
    gemma3n: gemma3n(),
    phi3: phi3(),
    granite: transformer('granite', {
      meta: {
        logit_scale: 6.5,
        residual_scale: 0.25,
        embedding_scale: 12.5,
        'attention.scale': 0.0156,
      },
    }),
    granitemoe: transformer('granitemoe', {
      experts: 8,
      usedExperts: 2,
      expertFf: 512,
      meta: { logit_scale: 6.5 },
    }),
    granitehybrid: granitehybrid(),
    deepseek2: deepseek2(),
    'gpt-oss': gptOss(),
    glm4: transformer('glm4', { fusedGateUp: true, glmNorms: true }),
    olmo2: transformer('olmo2', { olmoNorms: true }),
    'command-r': transformer('command-r', {
      tied: true,
      parallelBlock: true,
      layerNorm: true,
      meta: { logit_scale: 0.0625 },
    }),
    cohere2: transformer('cohere2', {
      tied: true,
      parallelBlock: true,
      layerNorm: true,
      layers: 8,
      meta: { logit_scale: 0.0625, 'attention.sliding_window': 512 },
    }),
    smollm3: transformer('smollm3', { tied: true, layers: 8 }),
    mamba2: mamba2(),
    'falcon-h1': falconH1(),
    qwen3next: qwen3next(),
  };
}

const VOCAB = 8192;

function common(arch, s, meta = {}) {
  const prefixed = {
    context_length: 32768,
    embedding_length: s.embd,
    block_count: s.layers,
    feed_forward_length: s.ff,
    'attention.head_count': s.heads,
    'attention.head_count_kv': s.kvHeads,
    'attention.key_length': s.headDim,
    'attention.value_length': s.headDim,
    'rope.dimension_count': s.headDim,
    vocab_size: s.vocab,
    [s.layerNorm ? 'attention.layer_norm_epsilon' : 'attention.layer_norm_rms_epsilon']: 0.00001,
    ...meta,
  };
  return {
    'general.architecture': arch,
    'tokenizer.ggml.model': 'none',
    ...Object.fromEntries(
      Object.entries(prefixed).map(([key, value]) => [`${arch}.${key}`, value]),
    ),
  };
}

function transformer(arch, options) {
  const s = {
    embd: 512,
    layers: 6,
    heads: 8,
    kvHeads: 2,
    headDim: 64,
    ff: 1536,
    vocab: VOCAB,
    ...options,
  };
  const { embd, headDim, heads, kvHeads, ff } = s;
  // These architectures ignore the metadata, and take `embd / heads` as the width of a head.
  const meta = {
    ...(s.experts
      ? {
          expert_count: s.experts,
          expert_used_count: s.usedExperts,
          expert_feed_forward_length: s.expertFf,
        }
      : {}),
    ...(s.sharedFf ? { expert_shared_feed_forward_length: s.sharedFf } : {}),
    ...s.meta,
  };
  // Mixtral and Granite store the width of an expert as feed_forward_length.
  const expertFf = arch === 'llama' || arch === 'granitemoe' ? ff : s.expertFf;
  const tensors = [matrix('token_embd', embd, s.vocab), vector('output_norm', embd)];
  if (!s.tied) tensors.push(matrix('output', embd, s.vocab, 'Q6_K'));
  for (let i = 0; i < s.layers; i += 1) {
    const add = (...list) =>
      tensors.push(...list.map((t) => ({ ...t, name: `blk.${i}.${t.name}` })));
    if (!s.olmoNorms) add(vector('attn_norm', embd));
    add(
      matrix('attn_q', embd, heads * headDim),
      matrix('attn_k', embd, kvHeads * headDim),
      matrix('attn_v', embd, kvHeads * headDim, 'Q6_K'),
      matrix('attn_output', heads * headDim, embd),
    );
    if (s.qkvBias) {
      add(
        vector('attn_q', heads * headDim, 'bias'),
        vector('attn_k', kvHeads * headDim, 'bias'),
        vector('attn_v', kvHeads * headDim, 'bias'),
      );
    }
    if (s.qkNorm) add(vector('attn_q_norm', headDim), vector('attn_k_norm', headDim));
    if (s.olmoNorms)
      add(vector('attn_q_norm', heads * headDim), vector('attn_k_norm', kvHeads * headDim));
    if (s.postNorms || s.glmNorms || s.olmoNorms)
      add(vector('post_attention_norm', embd), vector('post_ffw_norm', embd));
    if (!s.parallelBlock && !s.olmoNorms) add(vector('ffn_norm', embd));
    if (s.experts) {
      add(
        plain('ffn_gate_inp', [embd, s.experts], 'F32'),
        plain('ffn_gate_exps', [embd, expertFf, s.experts], 'Q4_K'),
        plain('ffn_up_exps', [embd, expertFf, s.experts], 'Q4_K'),
        plain('ffn_down_exps', [expertFf, embd, s.experts], 'Q6_K'),
      );
      if (s.sharedGate) add(vector('ffn_gate_inp_shexp', embd));
      if (s.sharedFf) add(...gatedFeedForward(embd, s.sharedFf, '_shexp'));
    } else if (s.fusedGateUp) {
      add(matrix('ffn_up', embd, 2 * ff), matrix('ffn_down', ff, embd, 'Q6_K'));
    } else add(...gatedFeedForward(embd, ff));
  }
  return { metadata: common(arch, s, meta), tensors };
}

function phi3() {
  const s = { embd: 512, layers: 6, heads: 8, kvHeads: 8, headDim: 64, ff: 1536, vocab: VOCAB };
  const tensors = [
    matrix('token_embd', s.embd, s.vocab),
    vector('output_norm', s.embd),
    matrix('output', s.embd, s.vocab),
  ];
  for (let i = 0; i < s.layers; i += 1) {
    tensors.push(
      ...[
        vector('attn_norm', s.embd),
        matrix('attn_qkv', s.embd, 3 * s.embd),
        matrix('attn_output', s.embd, s.embd),
        vector('ffn_norm', s.embd),
        matrix('ffn_up', s.embd, 2 * s.ff),
        matrix('ffn_down', s.ff, s.embd),
      ].map((t) => ({ ...t, name: `blk.${i}.${t.name}` })),
    );
  }
  return { metadata: common('phi3', s, { 'attention.sliding_window': 2047 }), tensors };
}

function gemma3n() {
  const s = { embd: 512, layers: 30, heads: 4, kvHeads: 1, headDim: 128, ff: 1024, vocab: VOCAB };
  const altup = 4;
  const embdAltup = 256;
  const laurel = 64;
  const tensors = [
    matrix('token_embd', s.embd, s.vocab),
    vector('output_norm', s.embd),
    plain('altup_proj.weight', [s.embd, s.embd, altup - 1], 'F16'),
    plain('altup_unembd_proj.weight', [s.embd, s.embd, altup - 1], 'F16'),
    matrix('per_layer_token_embd', embdAltup * s.layers, s.vocab),
    plain('per_layer_model_proj.weight', [s.embd, embdAltup * s.layers], 'F16'),
    vector('per_layer_proj_norm', embdAltup),
  ];
  for (let i = 0; i < s.layers; i += 1) {
    tensors.push(
      ...[
        vector('attn_norm', s.embd),
        matrix('attn_q', s.embd, s.heads * s.headDim),
        matrix('attn_k', s.embd, s.kvHeads * s.headDim),
        matrix('attn_v', s.embd, s.kvHeads * s.headDim),
        matrix('attn_output', s.heads * s.headDim, s.embd),
        vector('attn_q_norm', s.headDim),
        vector('attn_k_norm', s.headDim),
        vector('post_attention_norm', s.embd),
        vector('ffn_norm', s.embd),
        ...gatedFeedForward(s.embd, s.ff),
        vector('post_ffw_norm', s.embd),
        matrix('inp_gate', s.embd, embdAltup),
        matrix('proj', embdAltup, s.embd),
        vector('post_norm', s.embd),
        plain('altup_correct_coef.weight', [altup, altup], 'F32'),
        vector('altup_correct_scale', s.embd),
        plain('altup_predict_coef.weight', [altup, altup * altup], 'F32'),
        plain('altup_router.weight', [s.embd, altup], 'F32'),
        vector('altup_router_norm', s.embd),
        matrix('laurel_l', s.embd, laurel),
        plain('laurel_r.weight', [laurel, s.embd], 'F16'),
        vector('laurel_post_norm', s.embd),
      ].map((t) => ({ ...t, name: `blk.${i}.${t.name}` })),
    );
  }
  return { metadata: common('gemma3n', s, { 'attention.sliding_window': 512 }), tensors };
}

function gptOss() {
  const s = { embd: 512, layers: 6, heads: 8, kvHeads: 2, headDim: 64, ff: 512, vocab: VOCAB };
  const experts = 8;
  const tensors = [
    matrix('token_embd', s.embd, s.vocab),
    vector('output_norm', s.embd),
    matrix('output', s.embd, s.vocab),
  ];
  for (let i = 0; i < s.layers; i += 1) {
    tensors.push(
      ...[
        vector('attn_norm', s.embd),
        vector('post_attention_norm', s.embd),
        matrix('attn_q', s.embd, s.heads * s.headDim),
        matrix('attn_k', s.embd, s.kvHeads * s.headDim),
        matrix('attn_v', s.embd, s.kvHeads * s.headDim),
        matrix('attn_output', s.heads * s.headDim, s.embd),
        vector('attn_q', s.heads * s.headDim, 'bias'),
        vector('attn_k', s.kvHeads * s.headDim, 'bias'),
        vector('attn_v', s.kvHeads * s.headDim, 'bias'),
        vector('attn_output', s.embd, 'bias'),
        vector('attn_sinks', s.heads),
        plain('ffn_gate_inp.weight', [s.embd, experts], 'F32'),
        vector('ffn_gate_inp', experts, 'bias'),
        ...['gate', 'up'].flatMap((k) => [
          plain(`ffn_${k}_exps.weight`, [s.embd, s.ff, experts], 'MXFP4'),
          plain(`ffn_${k}_exps.bias`, [s.ff, experts], 'F32'),
        ]),
        plain('ffn_down_exps.weight', [s.ff, s.embd, experts], 'MXFP4'),
        plain('ffn_down_exps.bias', [s.embd, experts], 'F32'),
      ].map((t) => ({ ...t, name: `blk.${i}.${t.name}` })),
    );
  }
  const meta = {
    'attention.sliding_window': 128,
    expert_count: experts,
    expert_used_count: 2,
    expert_feed_forward_length: s.ff,
  };
  return { metadata: common('gpt-oss', s, meta), tensors };
}

function deepseek2() {
  const s = { embd: 512, layers: 6, heads: 8, kvHeads: 1, headDim: 192, ff: 1536, vocab: VOCAB };
  const [lora, queryLora, rope, nope, valueDim, experts, expertFf, shared] = [
    256, 256, 64, 128, 128, 16, 256, 2,
  ];
  const tensors = [
    matrix('token_embd', s.embd, s.vocab),
    vector('output_norm', s.embd),
    matrix('output', s.embd, s.vocab),
  ];
  for (let i = 0; i < s.layers; i += 1) {
    tensors.push(
      ...[
        vector('attn_norm', s.embd),
        vector('attn_kv_a_norm', lora),
        vector('attn_q_a_norm', queryLora),
        matrix('attn_q_a', s.embd, queryLora),
        matrix('attn_q_b', queryLora, s.heads * (nope + rope)),
        matrix('attn_kv_a_mqa', s.embd, lora + rope),
        plain('attn_k_b.weight', [nope, lora, s.heads], 'Q8_0'),
        plain('attn_v_b.weight', [lora, valueDim, s.heads], 'Q8_0'),
        matrix('attn_output', s.heads * valueDim, s.embd),
        vector('ffn_norm', s.embd),
        ...(i === 0
          ? gatedFeedForward(s.embd, s.ff)
          : [
              plain('ffn_gate_inp.weight', [s.embd, experts], 'F32'),
              plain('ffn_gate_exps.weight', [s.embd, expertFf, experts], 'Q4_K'),
              plain('ffn_up_exps.weight', [s.embd, expertFf, experts], 'Q4_K'),
              plain('ffn_down_exps.weight', [expertFf, s.embd, experts], 'Q6_K'),
              ...gatedFeedForward(s.embd, expertFf * shared, '_shexp'),
            ]),
      ].map((t) => ({ ...t, name: `blk.${i}.${t.name}` })),
    );
  }
  const meta = {
    'attention.key_length': lora + rope,
    'attention.value_length': lora,
    'attention.key_length_mla': nope + rope,
    'attention.value_length_mla': valueDim,
    'attention.kv_lora_rank': lora,
    'attention.q_lora_rank': queryLora,
    'rope.dimension_count': rope,
    leading_dense_block_count: 1,
    expert_count: experts,
    expert_used_count: 4,
    expert_feed_forward_length: expertFf,
    expert_shared_count: shared,
    expert_weights_scale: 1.5,
  };
  return { metadata: common('deepseek2', s, meta), tensors };
}

function recurrentLayer(
  embd,
  { inner, state, conv, groups, ssmHeads },
  { normed = true, norm = true } = {},
) {
  const convDim = inner + 2 * groups * state;
  return [
    ...(normed ? [vector('attn_norm', embd)] : []),
    matrix('ssm_in', embd, inner + convDim + ssmHeads),
    plain('ssm_conv1d.weight', [conv, convDim], 'F32'),
    vector('ssm_conv1d', convDim, 'bias'),
    vector('ssm_dt', ssmHeads, 'bias'),
    plain('ssm_a', [1, ssmHeads], 'F32'),
    plain('ssm_d', [1, ssmHeads], 'F32'),
    ...(norm ? [plain('ssm_norm.weight', [inner / groups, groups], 'F32')] : []),
    matrix('ssm_out', inner, embd),
  ];
}

function recurrentMetadata({ inner, state, conv, groups, ssmHeads }) {
  return {
    'ssm.conv_kernel': conv,
    'ssm.inner_size': inner,
    'ssm.state_size': state,
    'ssm.time_step_rank': ssmHeads,
    'ssm.group_count': groups,
  };
}

function mamba2() {
  const s = { embd: 512, layers: 8, heads: 0, kvHeads: 0, headDim: 64, ff: 0, vocab: VOCAB };
  const ssm = { inner: 1024, state: 64, conv: 4, groups: 1, ssmHeads: 16 };
  const tensors = [
    matrix('token_embd', s.embd, s.vocab),
    vector('output_norm', s.embd),
    matrix('output', s.embd, s.vocab),
  ];
  for (let i = 0; i < s.layers; i += 1) {
    tensors.push(...recurrentLayer(s.embd, ssm).map((t) => ({ ...t, name: `blk.${i}.${t.name}` })));
  }
  return { metadata: common('mamba2', s, recurrentMetadata(ssm)), tensors };
}

function granitehybrid() {
  const s = { embd: 512, layers: 8, heads: 8, kvHeads: 2, headDim: 64, ff: 1024, vocab: VOCAB };
  const ssm = { inner: 1024, state: 64, conv: 4, groups: 1, ssmHeads: 16 };
  const attention = (i) => i % 4 === 3;
  const tensors = [matrix('token_embd', s.embd, s.vocab), vector('output_norm', s.embd)];
  for (let i = 0; i < s.layers; i += 1) {
    const mixer = attention(i)
      ? [
          vector('attn_norm', s.embd),
          matrix('attn_q', s.embd, s.heads * s.headDim),
          matrix('attn_k', s.embd, s.kvHeads * s.headDim),
          matrix('attn_v', s.embd, s.kvHeads * s.headDim),
          matrix('attn_output', s.heads * s.headDim, s.embd),
        ]
      : recurrentLayer(s.embd, ssm);
    tensors.push(
      ...[...mixer, vector('ffn_norm', s.embd), ...gatedFeedForward(s.embd, s.ff)].map((t) => ({
        ...t,
        name: `blk.${i}.${t.name}`,
      })),
    );
  }
  const meta = {
    ...recurrentMetadata(ssm),
    'attention.head_count_kv': Array.from({ length: s.layers }, (_, i) =>
      attention(i) ? s.kvHeads : 0,
    ),
  };
  return { metadata: common('granitehybrid', s, meta), tensors };
}

function falconH1() {
  const s = { embd: 512, layers: 6, heads: 8, kvHeads: 2, headDim: 64, ff: 1024, vocab: VOCAB };
  const ssm = { inner: 768, state: 64, conv: 4, groups: 1, ssmHeads: 12 };
  const tensors = [matrix('token_embd', s.embd, s.vocab), vector('output_norm', s.embd)];
  for (let i = 0; i < s.layers; i += 1) {
    tensors.push(
      ...[
        vector('attn_norm', s.embd),
        ...recurrentLayer(s.embd, ssm, { normed: false, norm: false }),
        matrix('attn_q', s.embd, s.heads * s.headDim),
        matrix('attn_k', s.embd, s.kvHeads * s.headDim),
        matrix('attn_v', s.embd, s.kvHeads * s.headDim),
        matrix('attn_output', s.heads * s.headDim, s.embd),
        // This norm's name has no suffix.
        { name: 'ffn_norm', dims: [s.embd], type: 'F32' },
        ...gatedFeedForward(s.embd, s.ff),
      ].map((t) => ({ ...t, name: `blk.${i}.${t.name}` })),
    );
  }
  return { metadata: common('falcon-h1', s, recurrentMetadata(ssm)), tensors };
}

function qwen3next() {
  const s = { embd: 512, layers: 8, heads: 8, kvHeads: 2, headDim: 64, ff: 1024, vocab: VOCAB };
  const [experts, expertFf, sharedFf] = [16, 256, 256];
  const ssm = { inner: 1024, state: 64, conv: 4, groups: 8, ssmHeads: 16 };
  const [keyDim, valueDim] = [ssm.state * ssm.groups, ssm.inner];
  const tensors = [
    matrix('token_embd', s.embd, s.vocab),
    vector('output_norm', s.embd),
    matrix('output', s.embd, s.vocab),
  ];
  for (let i = 0; i < s.layers; i += 1) {
    const mixer =
      i % 4 === 3
        ? [
            matrix('attn_q', s.embd, 2 * s.heads * s.headDim),
            matrix('attn_k', s.embd, s.kvHeads * s.headDim),
            matrix('attn_v', s.embd, s.kvHeads * s.headDim),
            matrix('attn_output', s.heads * s.headDim, s.embd),
            vector('attn_q_norm', s.headDim),
            vector('attn_k_norm', s.headDim),
          ]
        : [
            matrix('ssm_in', s.embd, 2 * keyDim + 2 * valueDim),
            plain('ssm_conv1d.weight', [ssm.conv, 2 * keyDim + valueDim], 'F32'),
            vector('ssm_dt', ssm.ssmHeads, 'bias'),
            plain('ssm_a', [ssm.ssmHeads], 'F32'),
            matrix('ssm_ba', s.embd, 2 * ssm.ssmHeads),
            vector('ssm_norm', valueDim / ssm.ssmHeads),
            matrix('ssm_out', valueDim, s.embd),
          ];
    tensors.push(
      ...[
        vector('attn_norm', s.embd),
        ...mixer,
        vector('post_attention_norm', s.embd),
        plain('ffn_gate_inp.weight', [s.embd, experts], 'F32'),
        plain('ffn_gate_exps.weight', [s.embd, expertFf, experts], 'Q4_K'),
        plain('ffn_up_exps.weight', [s.embd, expertFf, experts], 'Q4_K'),
        plain('ffn_down_exps.weight', [expertFf, s.embd, experts], 'Q6_K'),
        vector('ffn_gate_inp_shexp', s.embd),
        ...gatedFeedForward(s.embd, sharedFf, '_shexp'),
      ].map((t) => ({ ...t, name: `blk.${i}.${t.name}` })),
    );
  }
  const meta = {
    ...recurrentMetadata(ssm),
    expert_count: experts,
    expert_used_count: 4,
    expert_feed_forward_length: expertFf,
    expert_shared_feed_forward_length: sharedFf,
  };
  return { metadata: common('qwen3next', s, meta), tensors };
}

function gatedFeedForward(embd, ff, suffix = '') {
  return [
    matrix(`ffn_gate${suffix}`, embd, ff),
    matrix(`ffn_up${suffix}`, embd, ff),
    matrix(`ffn_down${suffix}`, ff, embd, 'Q6_K'),
  ];
}
function matrix(name, columns, rows, type = 'Q4_K') {
  return {
    name: `${name}.weight`,
    dims: [columns, rows],
    type: columns % 256 === 0 ? type : 'Q8_0',
  };
}
function vector(name, length, kind = 'weight') {
  return { name: `${name}.${kind}`, dims: [length], type: 'F32' };
}
function plain(name, dims, type) {
  return {
    name: /\.(weight|bias)$/.test(name) || /^ssm_[ad]$/.test(name) ? name : `${name}.weight`,
    dims,
    type,
  };
}
