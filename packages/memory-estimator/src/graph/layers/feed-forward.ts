import { itemAt } from '../../item-at.js';
import { GraphUnavailableError, type GraphContext } from './graph-context.js';
import {
  add,
  addById,
  clamp,
  contiguous,
  divide,
  gatedHalves,
  gatedSplit,
  getRows,
  inPlace,
  matMulById,
  multiply,
  reshape,
  setRows,
  softMax,
  sumRows,
  topK,
  unary,
  view,
} from '../tensors/ops.js';
import type { Tensor } from '../tensors/tensor.js';

/** How a feed-forward network is gated. */
export type Gating = 'split' | 'halves' | 'none' | 'relu-squared';

interface FeedForwardNames {
  readonly up: string;
  readonly gate: string;
  readonly down: string;
}

const DENSE: FeedForwardNames = { up: 'ffn_up', gate: 'ffn_gate', down: 'ffn_down' };
const SHARED: FeedForwardNames = {
  up: 'ffn_up_shexp',
  gate: 'ffn_gate_shexp',
  down: 'ffn_down_shexp',
};

/** A dense feed-forward network: build_ffn in llama-graph.cpp. */
export function feedForward(
  context: GraphContext,
  il: number,
  x: Tensor,
  gating: Gating = 'split',
  names: FeedForwardNames = DENSE,
): Tensor {
  const linear = (name: string, from: Tensor) =>
    context.linear(from, context.weight(il, name), context.biasOrNull(il, name));
  const up = linear(names.up, x);
  let hidden: Tensor;
  if (gating === 'split') hidden = gatedSplit(linear(names.gate, x), up);
  else if (gating === 'halves') hidden = gatedHalves(up);
  else hidden = unary(up);
  if (gating === 'relu-squared') hidden = inPlace(hidden);
  return linear(names.down, hidden);
}

export type ExpertScoring = 'softmax' | 'sigmoid' | 'softmax-weight';

/** How experts are chosen and weighted. */
export interface ExpertRules {
  readonly scoring: ExpertScoring;
  /** Whether the weights of the chosen experts are normalized to a sum of 1. */
  readonly normalize: boolean;
  /** Whether the metadata may replace the two rules above. */
  readonly metadata: boolean;
}

/** The most experts that llama.cpp accepts (LLAMA_MAX_EXPERTS). */
const MAX_EXPERTS = 1_024;

/** Scoring functions by the number in `expert_gating_func`. The number 0 is not defined. */
const SCORINGS: readonly (ExpertScoring | null)[] = [null, 'softmax', 'sigmoid', 'softmax-weight'];

/** A mixture of experts: build_moe_ffn in llama-graph.cpp. */
export function expertFeedForward(
  context: GraphContext,
  il: number,
  x: Tensor,
  rules: ExpertRules,
): Tensor {
  const { graph, index } = context;
  const { metadata } = index;
  const tokens = x.ne1;
  const stated = rules.metadata ? metadata.count('expert_gating_func') : null;
  const scoring = SCORINGS[stated ?? 0] ?? rules.scoring;
  const normalizes = rules.metadata
    ? metadata.boolean('expert_weights_norm') === true
    : rules.normalize;
  const { experts } = context.model;
  const used = context.model.expertsUsed[il] ?? 0;
  if (used < 1 || used > experts || experts > MAX_EXPERTS)
    throw new GraphUnavailableError(`layer ${il} uses ${used} of ${experts} experts`);
  const router = context.weight(il, 'ffn_gate_inp');
  const scores = context.linear(x, router, context.biasOrNull(il, 'ffn_gate_inp'));
  const probabilities =
    scoring === 'softmax-weight' ? scores : scoring === 'softmax' ? softMax(scores) : unary(scores);
  const bias = context.biasOrNull(il, 'exp_probs_b');
  const selection = limitGroups(
    context,
    bias === null ? probabilities : add(probabilities, bias),
    experts,
    tokens,
  );
  const chosen = topK(selection, used);
  let weights = getRows(reshape(probabilities, 1, experts, tokens), chosen);
  if (scoring === 'softmax-weight')
    weights = reshape(softMax(reshape(weights, used, tokens)), 1, used, tokens);
  if (normalizes) {
    const flat = reshape(weights, used, tokens);
    weights = reshape(divide(flat, clamp(sumRows(flat))), 1, used, tokens);
  }
  const scale = metadata.number('expert_weights_scale') ?? 0;
  if (scale !== 0 && scale !== 1) weights = inPlace(weights);
  graph.expand(weights);

  const rows = reshape(x, x.ne0, 1, tokens);
  const byExpert = (name: string, from: Tensor) => {
    const product = matMulById(context.weight(il, name), from, chosen);
    const shift = context.biasOrNull(il, name);
    return shift === null ? product : addById(product, shift, chosen);
  };
  const down = byExpert('ffn_down_exps', expertHidden(context, il, rows, byExpert));
  const weighted = multiply(down, weights);
  graph.expand(weighted);
  return sumExperts(context, weighted, x.ne0, tokens, used);
}

function expertHidden(
  context: GraphContext,
  il: number,
  rows: Tensor,
  byExpert: (name: string, from: Tensor) => Tensor,
): Tensor {
  if (context.has(il, 'ffn_gate_up_exps')) {
    const both = byExpert('ffn_gate_up_exps', rows);
    const half = () => view(both, [both.ne0 / 2, both.ne1, both.ne2], [both.nb1, both.nb2]);
    return gatedSplit(half(), half());
  }
  const up = byExpert('ffn_up_exps', rows);
  if (!context.has(il, 'ffn_gate_exps')) return unary(up);
  return gatedSplit(byExpert('ffn_gate_exps', rows), up);
}

function sumExperts(
  context: GraphContext,
  experts: Tensor,
  width: number,
  tokens: number,
  used: number,
): Tensor {
  const parts = Array.from({ length: used }, () => {
    const part = view(experts, [width, tokens], [experts.nb2]);
    context.graph.expand(part);
    return part;
  });
  let sum = itemAt(parts, 0);
  for (const part of parts.slice(1)) {
    sum = add(sum, part);
    context.graph.expand(sum);
  }
  return used === 1 ? contiguous(sum) : sum;
}

/** Restricts the choice to the experts of the best groups, as DeepSeek-V3 does. */
function limitGroups(
  context: GraphContext,
  scores: Tensor,
  experts: number,
  tokens: number,
): Tensor {
  const groups = context.index.metadata.count('expert_group_count') ?? 0;
  const usedGroups = context.index.metadata.count('expert_group_used_count') ?? 0;
  if (groups <= 1) return scores;
  const size = experts / groups;
  const grouped = reshape(scores, size, groups, tokens);
  const best = topK(grouped, 2);
  let sums = getRows(reshape(grouped, 1, size, groups, tokens), best);
  sums = sumRows(reshape(sums, sums.ne1, sums.ne2, sums.ne3));
  const chosen = topK(reshape(sums, sums.ne1, sums.ne2), usedGroups);
  const kept = getRows(grouped, chosen);
  // ggml_fill may overwrite its operand.
  return reshape(setRows(inPlace(grouped), kept, chosen), experts, tokens);
}

/** The shared expert, which runs for every token, and its gate if the model has a gate. */
export function sharedExpert(
  context: GraphContext,
  il: number,
  x: Tensor,
  gate: 'none' | 'divided' | 'sigmoid',
): Tensor {
  if (gate === 'none') return feedForward(context, il, x, 'split', SHARED);
  const score = context.linear(x, context.weight(il, 'ffn_gate_inp_shexp'));
  const hidden = feedForward(context, il, x, 'split', SHARED);
  // Qwen2-MoE writes the sigmoid as silu(x) / x.
  const factor = gate === 'divided' ? divide(unary(score), score) : unary(score);
  return multiply(hidden, factor);
}
