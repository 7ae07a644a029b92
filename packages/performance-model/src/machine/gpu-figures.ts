/** Peak figures of a GPU: GB per second of memory, and 10^12 half-precision operations per second (null: not known). */
export type GpuFigures = readonly [
  name: string,
  gigabytesPerSecond: number,
  teraoperations: number | null,
];
