/** The software that runs a model on a device. */
export type Backend = 'cuda' | 'vulkan' | 'rocm' | 'metal' | 'mlx' | 'cpu';

/** A group of devices whose use of their bandwidth differs from all others. */
export type Generation = 'pascal' | 'datacenter' | 'm1' | 'ultra' | 'arc' | 'rdna4';

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
}

/** RAM of two channels of DDR5-5000. Used where the bandwidth of RAM is not known. */
export const USUAL_RAM_BANDWIDTH = 80e9;

/** The group of a device by its name. */
export function generationOf(deviceName: string): Generation | null {
  return GENERATIONS.find(({ names }) => names.test(deviceName))?.generation ?? null;
}

const GENERATIONS: readonly { readonly names: RegExp; readonly generation: Generation }[] = [
  { names: /\b(GTX 10\d\d|GTX 9\d\d|P40|P100|TITAN X)/i, generation: 'pascal' },
  { names: /\b(V100|A100|H100|H200|B200|CMP|MI\d+)/i, generation: 'datacenter' },
  { names: /\bM\d Ultra\b/i, generation: 'ultra' },
  { names: /\bM1\b/i, generation: 'm1' },
  { names: /\bArc\b/i, generation: 'arc' },
  { names: /\b(RX ?90[67]0|R9[67]00)/i, generation: 'rdna4' },
];
