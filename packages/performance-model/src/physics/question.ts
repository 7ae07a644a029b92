import type { KvCacheType, ModelShape } from '@mai/memory-ledger';
import type { MachineSpeed } from '../machine/machine-speed.js';

/** Where a model lies and how it runs. */
export interface Placement {
  /** Share of the layers on the GPU, 0 to 1. Without a GPU: 0. */
  readonly offloadRatio: number;
  /** Share of the expert layers that stay in RAM, 0 to 1. */
  readonly cpuExpertRatio: number;
  readonly kvCacheType: KvCacheType;
  /** Whether the layers on the GPU have their KV cache in RAM, too. Default `false`; older observations lack the field. */
  readonly kvCacheInRam?: boolean | undefined;
  /** Tokens of one micro-batch of a prompt. */
  readonly microBatchTokens: number;
}

/** A model on a machine. */
export interface SpeedSetting {
  readonly shape: ModelShape;
  readonly machine: MachineSpeed;
  readonly placement: Placement;
}

/** Whether a token reads weights in RAM. */
export function readsRam({
  machine,
  placement,
}: Pick<SpeedSetting, 'machine' | 'placement'>): boolean {
  return machine.gpu === null || placement.offloadRatio < 1 || placement.cpuExpertRatio > 0;
}

/**
 * Whether weights in RAM are multiplied without vector instructions. The time is then that of the computing, so it says nothing about a
 * build with vector instructions, whose time is that of reading the weights.
 */
export function isScalar(setting: Pick<SpeedSetting, 'machine' | 'placement'>): boolean {
  // Stored questions of an older version lack the field.
  return typeof setting.machine.scalarThreads === 'number' && readsRam(setting);
}

/** Models with less than this share of active parameters count as mixtures of experts. */
const EXPERTS_BELOW = 0.35;

/** Whether most parameters of the model are experts that a token does not use. */
export function isMixture({ parameters, activeParameters }: ModelShape): boolean {
  return activeParameters < EXPERTS_BELOW * parameters;
}

/** Bytes of a parameter from which weights count as not quantized. */
const UNQUANTIZED_BYTES = 1.8;

/** Whether most weights have fewer than 16 bits. Engines have separate code for weights of 16 bits. */
export function isQuantized({ weightBytes, parameters }: ModelShape): boolean {
  return weightBytes < UNQUANTIZED_BYTES * parameters;
}

/** Bytes of a KV cache type relative to `f16`. Source: block sizes in ggml-quants.h. */
export const KV_TYPE_RATIO: Readonly<Record<KvCacheType, number>> = {
  f32: 2,
  f16: 1,
  bf16: 1,
  q8_0: 34 / 64,
  q5_1: 24 / 64,
  q5_0: 22 / 64,
  q4_1: 20 / 64,
  q4_0: 18 / 64,
  iq4_nl: 18 / 64,
};
