import type { Likeness } from '../physics/parameters.js';
import type { Covariance } from './corrections.js';

/** The properties that two predictions of one machine may share. */
export interface Traits {
  readonly backend: string;
  /** E.g. whole on the GPU, layers in RAM, experts in RAM. */
  readonly placement: string;
  /** Names the model, the same for each quantization. */
  readonly model: string;
  /** The engine and its version. */
  readonly engine: string;
  readonly quantization: string;
  /** With the model and the quantization, this names a file. */
  readonly weightBytes: number;
  readonly isQuantized: boolean;
  /** Share of the layers and experts in RAM, from 0 to 1. */
  readonly ramShare: number;
  /** Logarithm of the tokens that are computed at once; 0 for decode. */
  readonly logBatch: number;
  /** Share of each part in the predicted time; the sum is 1. */
  readonly shares: readonly number[];
}

/** Two predictions of a model whose shares in RAM differ by more than this have little in common. */
const RAM_SHARE_SCALE = 0.3;
/** As `RAM_SHARE_SCALE`, for the logarithm of the tokens that are computed at once: a factor of 1.6. */
const LOG_BATCH_SCALE = 0.5;

/** Two measurements whose shares differ by less than this in sum are at about the same depth. */
const SAME_SHARES = 0.1;

/** Whether two measurements are of the same file in the same placement, at about the same depth. */
export function isRepeat(a: Traits, b: Traits): boolean {
  const difference = a.shares.reduce(
    (sum, share, i) => sum + Math.abs(share - (b.shares[i] ?? 0)),
    0,
  );
  return (
    a.model === b.model &&
    a.quantization === b.quantization &&
    a.weightBytes === b.weightBytes &&
    a.engine === b.engine &&
    a.backend === b.backend &&
    a.placement === b.placement &&
    a.ramShare === b.ramShare &&
    difference < SAME_SHARES
  );
}

/**
 * The covariance of the errors of two predictions: the sum of the variances of everything that they have in common. Each part of
 * the physics may be wrong by a factor of its own, so predictions with similar shares have more of their error in common. Two back
 * ends have separate code and may use separate devices, so only `model` is common to both, for example a wrong shape. In published
 * results of devices with two back ends, measurements of another model on the other one improve nothing. Engines
 * have separate code for weights of 16 bits. So a model with such weights has only the term `model` in common with a quantized one.
 * This term does not grow where errors are larger than usual, because slow code for 16 bits is then the likely cause.
 */
export function covarianceOf(likeness: Likeness): Covariance<Traits> {
  const square = (value: number): number => value * value;
  const machine = square(likeness.machine);
  const placement = square(likeness.placement);
  const model = square(likeness.model);
  const modelPlacement = square(likeness.modelPlacement);
  const part = likeness.part.map(square);
  const partOfModel = likeness.partOfModel.map(square);
  const split = square(likeness.split);
  const engine = square(likeness.engine);
  const file = square(likeness.file);
  return (a, b, scale) => {
    const isModel = a.model === b.model;
    const isPlacement = a.placement === b.placement;
    let ofModel = isModel ? model : 0;
    if (a.backend !== b.backend) return scale * ofModel;
    let shared = machine;
    if (isPlacement) shared += placement;
    if (a.engine === b.engine) shared += engine;
    let ofParts = 0;
    for (let i = 0; i < a.shares.length; i += 1) {
      const both = (a.shares[i] ?? 0) * (b.shares[i] ?? 0);
      shared += (part[i] ?? 0) * both;
      ofParts += (partOfModel[i] ?? 0) * both;
    }
    if (!isModel) return shared;
    if (a.isQuantized !== b.isQuantized) return shared + ofModel;
    if (isPlacement) ofModel += modelPlacement;
    const distance =
      square((a.ramShare - b.ramShare) / RAM_SHARE_SCALE) +
      square((a.logBatch - b.logBatch) / LOG_BATCH_SCALE);
    ofModel += ofParts + split * (distance === 0 ? 1 : Math.exp(-distance / 2));
    const isFile = a.weightBytes === b.weightBytes && a.quantization === b.quantization;
    return shared + scale * ofModel + (isFile ? file : 0);
  };
}
