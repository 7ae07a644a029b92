import type { MachineSpeed } from '../machine/machine-speed.js';

/**
 * Weights that one core multiplies in a second without vector instructions of 256 bits. Measured with the binding 1.7.15 (Linux
 * x64) as time of the processor on one thread of an AMD EPYC with AVX-512, for a model of random weights with 99 million parameters, in
 * 1e9: prompts 13.6 (Q8_0), 8.7 (Q4_0), 8.4 (Q4_K) and 6.3 (Q6_K); answers 9.0, 5.7, 5.5 and 4.1.
 */
const WEIGHTS_PER_SECOND = { prompt: 8.7e9, decode: 5.7e9 };

/** The time of multiplying weights on the CPU without vector instructions; 0 for a build that uses them. */
export function scalarSeconds(
  test: keyof typeof WEIGHTS_PER_SECOND,
  weights: number,
  { scalarThreads }: MachineSpeed,
): number {
  // Stored questions of an older version lack the field.
  return typeof scalarThreads === 'number'
    ? weights / (WEIGHTS_PER_SECOND[test] * scalarThreads)
    : 0;
}
