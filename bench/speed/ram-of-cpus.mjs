import { gpuSpeedOf } from '@mai/performance-model';

/**
 * Peak bandwidth of the RAM of processors, in GB per second: all channels at the highest official speed, or the one speed that is soldered.
 * From the data sheets of AMD, Intel, Qualcomm and Raspberry Pi. Desktop processors are left out: their RAM is about
 * the usual one.
 */
const RAM_OF_CPUS = [
  [/epyc 9\d\d5/i, 614],
  [/epyc 9\d\d4/i, 460.8],
  [/epyc 8\d\d4/i, 230.4],
  [/epyc (4\d\d[45])/i, 83.2],
  [/epyc 7\w\w[23]/i, 204.8],
  [/epyc 7\w\w1/i, 170.6],
  [/threadripper pro 9/i, 409.6],
  [/threadripper pro 7/i, 332.8],
  [/threadripper pro [35]/i, 204.8],
  [/threadripper 9/i, 204.8],
  [/threadripper 7/i, 166.4],
  [/threadripper/i, 102.4],
  [/xeon.* [34568]4\d\d/i, 307.2],
  [/xeon.* [34568]5\d\d/i, 358.4],
  [/xeon.* [34568]3\d\d/i, 204.8],
  [/xeon.* [34568][12]\d\d/i, 140.8],
  [/ryzen ai max/i, 256],
  [/core ultra \d 2\d\dv/i, 136.5],
  [/snapdragon x2/i, 152],
  [/snapdragon x/i, 135],
  [/\bn(9[57]|1[05]0|200|30[05]|355)\b/i, 38.4],
  [/raspberry pi 5|^pi 5|bcm2712/i, 17.1],
  [/raspberry pi 4|^pi 4|bcm2711/i, 12.8],
];
const GIGA = 1e9;

/** GB per second of the RAM of a processor; null where the processor is not known. Apple's processors share the memory of their GPU. */
export function ramOf(cpu) {
  if (cpu === null) return null;
  const found = RAM_OF_CPUS.find(([pattern]) => pattern.test(cpu));
  if (found !== undefined) return found[1];
  const apple = /apple m\d|^m\d/i.test(cpu) ? gpuSpeedOf(cpu) : null;
  return apple === null ? null : apple.memoryBandwidth / GIGA;
}
