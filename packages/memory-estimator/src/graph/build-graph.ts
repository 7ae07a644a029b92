import { buildDecoder, type Mixer } from './models/decoder.js';
import {
  decoderRules,
  GEMMA3N_RULES,
  guessRules,
  type DecoderRules,
} from './models/decoder-rules.js';
import type { GraphContext } from './layers/graph-context.js';
import { attentionMixer } from './models/attention-mixer.js';
import { buildGemma3n } from './models/gemma3n.js';
import {
  alternatingMixer,
  deltaNetMixer,
  doubleMixer,
  recurrentMixer,
} from './models/hybrid-mixers.js';
import { latentAttentionMixer } from './models/latent-attention.js';

const MIXERS: Readonly<Record<string, (context: GraphContext, rules: DecoderRules) => Mixer>> = {
  deepseek2: latentAttentionMixer,
  'falcon-h1': doubleMixer,
  granitehybrid: alternatingMixer,
  mamba: recurrentMixer,
  mamba2: recurrentMixer,
  qwen3next: deltaNetMixer,
  qwen35: deltaNetMixer,
  qwen35moe: deltaNetMixer,
};

/** Whether the exact graph of an architecture is known. */
export function hasExactGraph(architecture: string): boolean {
  return decoderRules(architecture) !== null || architecture === 'gemma3n';
}

/**
 * Builds the graph that llama.cpp reserves its compute buffers for. The graph of an unknown architecture is
 * guessed from the tensors of its first layer.
 */
export function buildGraph(context: GraphContext): void {
  const { name } = context.model.architecture;
  if (name === 'gemma3n') {
    buildGemma3n(context, GEMMA3N_RULES);
    return;
  }
  const first = context.index.layers[0];
  const rules =
    decoderRules(name) ??
    guessRules(
      (tensor) => first?.has(tensor) === true,
      (tensor) => (first?.get(tensor)?.bias ?? null) !== null,
    );
  const mixer = Object.hasOwn(MIXERS, name) ? MIXERS[name] : undefined;
  buildDecoder(context, rules, (mixer ?? attentionMixer)(context, rules));
}
