import { gpuSpeedOf } from '@mai/performance-model';

/**
 * Peak bandwidth of the RAM of processors, in GB per second: all channels at the highest official speed, or the one speed that is soldered.
 * From the data sheets of AMD, Intel, Ampere, AWS, Qualcomm and Raspberry Pi. Desktop processors with DDR5 are left out: their RAM is about
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
  [/xeon.* 69\d\dp/i, 614],
  [/xeon.* 6[57]\d\dp/i, 409.6],
  [/xeon w[79]-34\d\d/i, 307.2],
  [/xeon w[3579]-(24|25)\d\d/i, 153.6],
  [/xeon.* [34568]4\d\d/i, 307.2],
  [/xeon.* [34568]5\d\d/i, 358.4],
  [/xeon.* [34568]3\d\d/i, 204.8],
  [/xeon.* [34568][12]\d\d/i, 140.8],
  [/ampereone/i, 332.8],
  [/ampere altra/i, 204.8],
  [/graviton ?4/i, 537.6],
  [/graviton ?3/i, 307.2],
  [/ryzen ai max/i, 256],
  [/core ultra \d 2\d\dv/i, 136.5],
  [/snapdragon x2/i, 152],
  [/snapdragon x/i, 135],
  [/\bn(9[57]|1[05]0|200|30[05]|355)\b/i, 38.4],
  // DDR4: Ryzen up to 5000, Core of the 6th to the 11th generation, with four channels first.
  [/ryzen (\d |pro |threadripper )*[1-5]\d{3}(g|ge|x|xt|x3d|u|h|hs|hx)?\b/i, 51.2],
  [/\bi[79]-(7[89]|9[89]|109)\d\dx/i, 85.3],
  [/\bi[3579]-1[01]\d{3}/i, 46.9],
  [/\bi[3579]-[6-9]\d{3}/i, 42.7],
  // DDR3.
  [/\bi[3579]-[2-5]\d{3}/i, 25.6],
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
