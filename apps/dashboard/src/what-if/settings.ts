/** The settings of the what-if question; null leaves a setting as it is configured. */
export interface WhatIfSettings {
  readonly model: string;
  readonly contextLengthTokens: number | null;
  readonly kvCacheType: KvCacheType | null;
  readonly parallelSequences: number | null;
}

/** The KV cache types that the page offers, from the largest to the smallest. */
export const KV_CACHE_TYPES = ['f16', 'q8_0', 'q5_1', 'q4_0'] as const;

export type KvCacheType = (typeof KV_CACHE_TYPES)[number];

/** The most parallel sequences that the page offers. */
export const MOST_PARALLEL = 8;

const SHORTEST_TOKENS = 1024;

/**
 * The context lengths of the slider: steps that grow by a quarter to a half, so that short and long contexts are both
 * easy to reach, and the maximum of the model at the end.
 * @param mostTokens - maximum of the model; null where it is not known
 */
export function contextSteps(mostTokens: number | null): readonly number[] {
  const most = mostTokens ?? 131_072;
  if (most <= SHORTEST_TOKENS) return [most];
  const steps: number[] = [];
  for (let base = SHORTEST_TOKENS; base < most; base *= 2) {
    for (const tokens of [base, base * 1.25, base * 1.5, base * 1.75]) {
      if (tokens < most) steps.push(tokens);
    }
  }
  return [...steps, most];
}

/** Index of the step that is closest to a context length. */
export function nearestStep(steps: readonly number[], tokens: number): number {
  const distances = steps.map((step) => Math.abs(step - tokens));
  return distances.indexOf(Math.min(...distances));
}
