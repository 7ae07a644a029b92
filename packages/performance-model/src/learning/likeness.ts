import type { Likeness } from '../physics/parameters.js';

/** In what respects two predictions of one machine may be alike. */
export interface Traits {
  readonly backend: string;
  /** E.g. whole on the GPU, layers in RAM, experts in RAM. */
  readonly placement: string;
  /** Names the model whatever its quantization. */
  readonly model: string;
  readonly quantization: string;
  /** The engine and its version. */
  readonly engine: string;
  /** Share of each part in the predicted time; the sum is 1. */
  readonly shares: readonly number[];
}

/**
 * The covariance of the errors of two predictions. Each part of the physics may be wrong by a factor of its own, so
 * predictions with the same shares share more of the error.
 */
export function covariance(a: Traits, b: Traits, likeness: Likeness): number {
  const square = (value: number): number => value * value;
  const isModel = a.model === b.model;
  let sum = square(likeness.machine) + (isModel ? square(likeness.model) : 0);
  if (a.backend !== b.backend) return sum;
  let overlap = 0;
  for (const [index, share] of a.shares.entries()) overlap += share * (b.shares[index] ?? 0);
  sum += square(likeness.backend) + overlap * square(likeness.part);
  if (a.placement === b.placement) sum += square(likeness.placement);
  if (isModel) sum += square(likeness.modelAndBackend) + overlap * square(likeness.partOfModel);
  if (a.quantization === b.quantization) sum += square(likeness.quantization);
  if (a.engine === b.engine) sum += square(likeness.engine);
  return sum;
}
