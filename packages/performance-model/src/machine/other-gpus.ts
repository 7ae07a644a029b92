import type { GpuFigures } from './gpu-figures.js';

/** Sources: product pages of Intel. Half-precision matrix operations. */
export const INTEL_GPUS: readonly GpuFigures[] = [
  ['arc b580', 456, 116.7],
  ['arc b570', 380, 101],
  ['arc a770', 560, 131],
  ['arc a770 8gb', 512, 131],
  ['arc a770m', 512, null],
  ['arc a730m', 336, null],
  ['arc a550m', 224, null],
  ['arc a370m', 112, null],
  ['arc a350m', 112, null],
  ['arc a750', 512, 114],
  ['arc a580', 512, 83.6],
  ['arc a380', 186, 32.8],
  ['arc a310', 124, 24.6],
  ['arc pro b60', 456, 98.5],
  ['arc pro b65', 608, 98.5],
  ['arc pro b70', 608, 183.5],
  ['arc pro b50', 224, 85],
  ['arc pro a60', 384, null],
  ['arc pro a50', 192, null],
  ['arc pro a40', 192, null],
  ['arc pro a30m', 112, null],
  ['arc 140v', 136.5, 33],
  ['arc 130v', 136.5, 26],
  ['max 1550', 3277, null],
  ['max 1100', 1229, null],
];

/** Sources: product pages of Qualcomm and Moore Threads. */
export const QUALCOMM_GPUS: readonly GpuFigures[] = [
  ['adreno x1', 135, 4.6],
  // The smaller GPU of the processors with 8 cores.
  ['adreno x1 45', 135, 1.7],
  ['adreno x2 85', 152, null],
  ['snapdragon x', 135, 4.6],
  ['snapdragon x2', 152, null],
  ['snapdragon x2 extreme', 228, null],
];

export const MOORE_THREADS_GPUS: readonly GpuFigures[] = [['mtt s80', 448, 14.4]];

/** Source: Apple's newsroom. Half precision runs as fast as single precision. */
export const APPLE_GPUS: readonly GpuFigures[] = [
  ['m1', 68.3, 2.6],
  ['m1 pro', 200, 5.2],
  ['m1 max', 400, 10.4],
  ['m1 ultra', 800, 20.8],
  ['m2', 102.4, 3.6],
  ['m2 pro', 200, 6.8],
  ['m2 max', 400, 13.6],
  ['m2 ultra', 800, 27.2],
  ['m3', 102.4, 4.1],
  ['m3 pro', 150, 7.4],
  ['m3 max', 400, 16.3],
  // With fewer cores, the memory is narrower. Drivers do not name the cores, but published results do. Macs with fewer cores have
  // other sizes of memory (Apple's technical specifications of MacBook Pro and Mac Studio).
  ['m3 max 30', 300, 12.2],
  ['m3 max 36gb', 300, 12.2],
  ['m3 max 96gb', 300, 12.2],
  ['m3 ultra', 819, 32.8],
  ['m4', 120, 4.6],
  ['m4 pro', 273, 9.2],
  ['m4 max', 546, 18.4],
  ['m4 max 32', 410, 14.7],
  ['m4 max 36gb', 410, 14.7],
  ['m5', 153.6, null],
  ['m5 pro', 307, null],
  ['m5 max', 614, null],
  ['m5 max 32', 460, null],
  ['m5 max 36gb', 460, null],
  ['a18 pro', 60, null],
];
