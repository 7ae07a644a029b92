/** A GPU of a simulated machine. */
export interface WorldGpu {
  /** The name in the hardware survey. */
  readonly name: string;
  /** The key of this GPU in `memoryInUse()`. Default: `survey:<index>`. */
  readonly deviceKey: string;
  /**
   * `shared`: the GPU uses RAM (integrated GPU, Apple silicon), and `totalBytes` is only the
   * limit of its use.
   */
  readonly memory: 'dedicated' | 'shared';
  /** The capacity in bytes. */
  readonly totalBytes: number;
  /** Bytes that other programs use. */
  readonly othersBytes: number;
  /** The API through which the engine uses the GPU. */
  readonly platform: 'CUDA' | 'ROCm' | 'Vulkan' | 'Metal';
}

/** A simulated machine: capacities, their use by other programs, and speeds. */
export interface WorldMachine {
  /** The host name, which is also the device name of LM Link. */
  readonly name: string;
  /** The value of Node's `process.platform`. */
  readonly platform: 'linux' | 'darwin' | 'win32';
  /** The name of the CPU in the hardware survey. */
  readonly cpuName: string;
  /** The architecture of the CPU. */
  readonly architecture: 'x86_64' | 'ARM64';
  /** The capacity of RAM. */
  readonly ramBytes: number;
  /** RAM that other programs use. */
  readonly othersRamBytes: number;
  /** Empty for a machine without a GPU. */
  readonly gpus: readonly WorldGpu[];
  /** Bytes of weights that a load reads in a second. */
  readonly loadBytesPerSecond: number;
  /** Tokens of a prompt that any model processes in a second. */
  readonly promptTokensPerSecond: number;
}
