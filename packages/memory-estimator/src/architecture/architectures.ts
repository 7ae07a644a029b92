/**
 * Rules of an architecture that its metadata does not state. Source: src/models/*.cpp of llama.cpp v0.5.0.
 */
export interface Architecture {
  readonly name: string;
  /** `false`: the name is unknown, so the common rules are assumed. */
  readonly known: boolean;
  /** The memory that a model keeps between tokens. `none`: an encoder or a diffusion model, without a cache. */
  readonly memory: 'attention' | 'recurrent' | 'hybrid' | 'none';
  readonly window: WindowRule | null;
  /** Every layer has both a KV cache and a recurrent state. */
  readonly everyLayerBoth: boolean;
  /**
   * In a hybrid model, each n-th layer has attention. `null`: the layers without key-value heads are recurrent.
   */
  readonly fullAttentionInterval: number | null;
  /** The query matrix of an attention layer also has a gate for each query. */
  readonly gatedQueries: boolean;
  /** Some layers consist of a feed-forward network only. */
  readonly feedForwardLayers: boolean;
  /**
   * Number of layers at the start that have their own cache. `shared`: the metadata states how many layers at the
   * end have no cache.
   */
  readonly cachedLayers: number | 'shared' | null;
  /** The cache may hold one latent vector for each token, in place of keys and values. */
  readonly latentAttention: boolean;
  /**
   * The layers in which an indexer keeps keys of its own. `sparse-layers`: those after the dense layers at the start. `listed`: those
   * that a list in the metadata names; none without the list. `listed-or-spread`: without the list, all layers, or some of them in a
   * model with a long context. `null`: the architecture has no indexer.
   */
  readonly indexer: 'all' | 'sparse-layers' | 'listed' | 'listed-or-spread' | null;
  /** Whether layers for multi-token prediction have a KV cache. `by-engine`: it depends on the build of llama.cpp. */
  readonly nextTokenCache: 'always' | 'never' | 'by-engine';
}

/** Which layers of an architecture have a sliding window, and how large it is. */
export interface WindowRule {
  /**
   * In each group of `pattern` layers, all layers but one have a window. 0: all layers have a window. `null`: an
   * array in the metadata tells which layers have a window.
   */
  readonly pattern: number | null;
  /** The layer without a window is the first of its group rather than the last. */
  readonly fullFirst: boolean;
  /** Window size if the metadata states no size. `null`: no layer then has a window. */
  readonly defaultSize: number | null;
  /** Window size that replaces the size in the metadata. */
  readonly fixedSize: number | null;
  /** Only the variant with this number of layers has windows. */
  readonly onlyDepth: number | null;
}

const COMMON: Omit<Architecture, 'name' | 'known'> = {
  memory: 'attention',
  window: null,
  everyLayerBoth: false,
  fullAttentionInterval: null,
  gatedQueries: false,
  feedForwardLayers: false,
  cachedLayers: null,
  latentAttention: false,
  indexer: null,
  nextTokenCache: 'by-engine',
};

const QWEN_HYBRID: Partial<Architecture> = {
  memory: 'hybrid',
  fullAttentionInterval: 4,
  gatedQueries: true,
  nextTokenCache: 'never',
};

const SPECIAL: Readonly<Record<string, Partial<Architecture>>> = {
  afmoe: { window: windowed(4) },
  bailingmoe3: { memory: 'hybrid', latentAttention: true },
  cohere2: { window: windowed(4) },
  cohere2moe: { window: windowed(4, { fullFirst: true }) },
  deepseek2: { latentAttention: true },
  deepseek32: { latentAttention: true, indexer: 'all', nextTokenCache: 'never' },
  deepseek4: { window: windowed(0), indexer: 'all', nextTokenCache: 'always' },
  dots3note: { latentAttention: true, window: windowed(null), indexer: 'listed' },
  exaone4: { window: windowed(4, { defaultSize: 4096, onlyDepth: 64 }) },
  'exaone-moe': { window: windowed(4, { defaultSize: 128 }) },
  'falcon-h1': { memory: 'hybrid', everyLayerBoth: true },
  gemma2: { window: windowed(2, { defaultSize: 4096 }) },
  gemma3: { window: windowed(6) },
  gemma3n: { window: windowed(5), cachedLayers: 20 },
  gemma4: { window: windowed(null), cachedLayers: 'shared' },
  'glm-dsa': { latentAttention: true, indexer: 'listed-or-spread', nextTokenCache: 'never' },
  'gpt-oss': { window: windowed(2) },
  granite_swa: { window: windowed(null) },
  granitehybrid: { memory: 'hybrid' },
  hy_v3: { nextTokenCache: 'never' },
  hy_v4: { latentAttention: true, indexer: 'listed' },
  jamba: { memory: 'hybrid' },
  'kimi-linear': { memory: 'hybrid', latentAttention: true },
  'kimi-k3': { memory: 'hybrid', latentAttention: true },
  laguna: { window: windowed(4, { fullFirst: true }) },
  lfm2: { memory: 'hybrid', window: windowed(0) },
  lfm2moe: { memory: 'hybrid' },
  llama4: { window: windowed(4, { defaultSize: 8192, fixedSize: 8192 }) },
  mamba: { memory: 'recurrent' },
  mamba2: { memory: 'recurrent' },
  maple: { window: windowed(null) },
  mellum: { window: windowed(4) },
  mimo2: { window: windowed(null), nextTokenCache: 'never' },
  'minimax-m3': { indexer: 'sparse-layers' },
  'minimax-01': { memory: 'hybrid', fullAttentionInterval: 8 },
  mistral4: { latentAttention: true },
  'muse-glimmer': { window: windowed(4) },
  nemotron_h: { memory: 'hybrid', feedForwardLayers: true },
  nemotron_h_moe: { memory: 'hybrid', feedForwardLayers: true },
  olmo2: { window: windowed(4) },
  plamo2: { memory: 'hybrid' },
  plamo3: { window: windowed(8) },
  qwen3next: QWEN_HYBRID,
  qwen35: QWEN_HYBRID,
  qwen35moe: QWEN_HYBRID,
  rwkv6: { memory: 'recurrent' },
  rwkv6qwen2: { memory: 'recurrent' },
  rwkv7: { memory: 'recurrent' },
  arwkv7: { memory: 'recurrent' },
  smallthinker: { window: windowed(4, { fullFirst: true, fixedSize: 4096 }) },
  spark2_5: { window: windowed(null) },
  step35: { window: windowed(null), nextTokenCache: 'never' },
  bert: { memory: 'none' },
  'modern-bert': { memory: 'none' },
  'nomic-bert': { memory: 'none' },
  'nomic-bert-moe': { memory: 'none' },
  'neo-bert': { memory: 'none' },
  'jina-bert-v2': { memory: 'none' },
  'jina-bert-v3': { memory: 'none' },
  eurobert: { memory: 'none' },
  'gemma-embedding': { memory: 'none' },
  dream: { memory: 'none' },
  llada: { memory: 'none' },
  'llada-moe': { memory: 'none' },
  rnd1: { memory: 'none' },
  clip: { memory: 'none' },
  'wavtokenizer-dec': { memory: 'none' },
};

/** Architectures that follow the common rules: full attention in every layer. */
const PLAIN = new Set(
  [
    'apertus arcee arctic baichuan bailingmoe bailingmoe2 bitnet bloom chameleon chatglm codeshell',
    'cogvlm command-r dbrx deci deepseek deepseek2-ocr dots1 ernie4_5 ernie4_5-moe exaone falcon gemma glm4 glm4moe',
    'gpt2 gptj gptneox granite granitemoe grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl internlm2',
    'jais jais2 llama llama-embed maincoder minicpm minicpm3 minimax-m2 mistral3 mpt nanbeige nemotron olmo olmoe',
    'openelm orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plm qwen qwen2 qwen2moe qwen2vl qwen3',
    'qwen3moe qwen3vl qwen3vlmoe refact seed_oss smollm3 stablelm starcoder starcoder2 talkie xverse',
  ].flatMap((line) => line.split(' ')),
);

/** The rules of an architecture, by the name in `general.architecture`. */
export function findArchitecture(name: string | null): Architecture {
  const key = name ?? '';
  const special = Object.hasOwn(SPECIAL, key) ? SPECIAL[key] : undefined;
  return {
    ...COMMON,
    ...special,
    name: key,
    known: special !== undefined || PLAIN.has(key),
  };
}

/** Architectures without layers for multi-token prediction: llama.cpp loads every layer, whatever the metadata states. */
const WITHOUT_NEXT_TOKEN = new Set(
  'deci gemma gemma2 gemma3 granite llama llama-embed mistral3 phi3 qwen2 qwen3'.split(' '),
);

/** Whether `nextn_predict_layers` of an architecture counts. */
export function readsNextToken({ name }: Architecture): boolean {
  return !WITHOUT_NEXT_TOKEN.has(name);
}

function windowed(pattern: number | null, rule: Partial<WindowRule> = {}): WindowRule {
  return {
    pattern,
    fullFirst: false,
    defaultSize: null,
    fixedSize: null,
    onlyDepth: null,
    ...rule,
  };
}
