import type { MetadataReader } from './metadata-reader.js';

/** Sizes of a state-space or linear-attention layer. */
export interface StateSpace {
  readonly convKernel: number;
  readonly innerSize: number;
  readonly stateSize: number;
  readonly timeStepRank: number;
  readonly groupCount: number;
}

/** Number of values in the state of one sequence in one layer. */
export interface StateSizes {
  /** Values of the rolling (convolution) state. */
  readonly rollingStateSize: number;
  /** Values of the recurrent state. */
  readonly recurrentStateSize: number;
}

/** Reads the sizes of state-space layers; `null` where the header does not state them. */
export function readStateSpace(read: MetadataReader): StateSpace | null {
  const innerSize = read.count('ssm.inner_size');
  const stateSize = read.count('ssm.state_size');
  if (innerSize === null || stateSize === null) return null;
  return {
    convKernel: read.count('ssm.conv_kernel') ?? 0,
    innerSize,
    stateSize,
    timeStepRank: read.count('ssm.time_step_rank') ?? 0,
    groupCount: read.count('ssm.group_count') ?? 0,
  };
}

/** The state sizes of a model's layers. Source: n_embd_r and n_embd_s in llama-hparams.cpp. */
export function stateSizes(
  read: MetadataReader,
  embedding: number,
  heads: number,
  ssm: StateSpace | null,
): StateSizes {
  const wkvHead = read.count('wkv.head_size') ?? 0;
  if (wkvHead > 0) {
    const shifts = read.count('token_shift_count') ?? 2;
    return { rollingStateSize: shifts * embedding, recurrentStateSize: embedding * wkvHead };
  }
  const shortConvolution = read.count('shortconv.l_cache') ?? 0;
  if (shortConvolution > 0)
    return { rollingStateSize: embedding * (shortConvolution - 1), recurrentStateSize: 0 };
  const kdaHead = read.count('kda.head_dim') ?? 0;
  if (kdaHead > 0) {
    const kernel = read.count('ssm.conv_kernel') ?? 0;
    return {
      rollingStateSize: 3 * (kernel > 0 ? kernel - 1 : 3) * heads * kdaHead,
      recurrentStateSize: kdaHead * kdaHead * heads,
    };
  }
  if (ssm === null) return { rollingStateSize: 0, recurrentStateSize: 0 };
  const columns = ssm.convKernel > 0 ? ssm.convKernel - 1 : 0;
  return {
    rollingStateSize: columns * (ssm.innerSize + 2 * ssm.groupCount * ssm.stateSize),
    recurrentStateSize: ssm.stateSize * ssm.innerSize,
  };
}
