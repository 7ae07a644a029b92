/** The software that runs a model on a device. */
export type Backend = 'cuda' | 'vulkan' | 'rocm' | 'metal' | 'mlx' | 'cpu';

/**
 * A group of devices whose use of their bandwidth differs from all others. `pascal` includes Maxwell and Kepler. `datacenter` is all GPUs with
 * HBM memory.
 */
export type Generation = 'pascal' | 'datacenter' | 'm1' | 'ultra' | 'arc' | 'polaris' | 'rdna4';

/** The properties of a GPU that decide speed. */
export interface GpuSpeed {
  readonly backend: Exclude<Backend, 'cpu'>;
  /** Null: the GPU belongs to no group. */
  readonly generation: Generation | null;
  /** Bytes per second. */
  readonly memoryBandwidth: number;
  /** Half-precision operations per second, dense. Null: not known; it is then derived from the bandwidth. */
  readonly operationsPerSecond: number | null;
  /** Bytes per second from RAM to the GPU, peak. Null: not known, or the GPU shares RAM. */
  readonly linkBandwidth: number | null;
}

/** The speeds of a machine. */
export interface MachineSpeed {
  /** The GPU that holds the layers; null without one. */
  readonly gpu: GpuSpeed | null;
  /** Bytes per second of RAM, peak. Null: not known; the bandwidth of a common desktop is taken. */
  readonly ramBandwidth: number | null;
  /**
   * Threads of an engine whose build uses no vector instructions of the CPU, so that computing takes longer than reading the weights.
   * Null: the build uses them.
   */
  readonly scalarThreads: number | null;
}

/** RAM of two channels of DDR5-5000. Used where neither the bandwidth of RAM nor the GPU is known. */
export const USUAL_RAM_BANDWIDTH = 80e9;

/**
 * RAM that was usual in computers of a GPU's time: two channels at the official maximum of the processors of that time.
 * Sources: data sheets of Intel Core 8th generation (DDR4-2666) and AMD Ryzen 5000 (DDR4-3200).
 */
const RAM_OF_TIME: readonly (readonly [RegExp, number])[] = [
  [
    /\b(GTX|RTX ?20\d\d|RX ?[45]\d\d|RX ?5[5-7]00|Tesla|Quadro [KMP]\d+|P40|P100|TITAN|T4|V100)\b/i,
    42.7e9,
  ],
  [/\b(RTX ?30\d\d|RX ?6\d\d\d|RTX ?A\d000)\b/i, 51.2e9],
];

/** Bytes per second of the RAM that is usual beside this GPU. A guess for where it was not measured. */
export function usualRamBandwidth(deviceName: string): number {
  return RAM_OF_TIME.find(([names]) => names.test(deviceName))?.[1] ?? USUAL_RAM_BANDWIDTH;
}

/** The group of a device by its name. */
export function generationOf(deviceName: string): Generation | null {
  return GENERATIONS.find(({ names }) => names.test(deviceName))?.generation ?? null;
}

const GENERATIONS: readonly { readonly names: RegExp; readonly generation: Generation }[] = [
  {
    names:
      /\b(GTX ?(10|9|7)\d\dM?|MX350|P10[0246]|GP100|P40?|Quadro [MP]\d+|TITAN Xp?|Tesla M\d+|M[46]0|K80|K40[cm])\b/i,
    generation: 'pascal',
  },
  {
    names:
      /\b(([AHV]100|[AH]800|A30(?!M)|H200?|GH200|G?B[23]00|GV100)(?!\d)|CMP 170HX|TITAN V\b|MI\d+|(Radeon|Pro) VII|Vega (56|64|II)|WX [89]\d00|R9 Fury|GPU Max 1\d\d0)/i,
    generation: 'datacenter',
  },
  { names: /\bM\d Ultra\b/i, generation: 'ultra' },
  { names: /\bM1\b/i, generation: 'm1' },
  { names: /\bArc\b/i, generation: 'arc' },
  { names: /\b(RX ?[45][5-9]0|WX 7100)\b/i, generation: 'polaris' },
  { names: /\b(RX ?90[67]0|R9[67]00)/i, generation: 'rdna4' },
];
