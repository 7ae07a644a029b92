// Engines read prompts faster every year, most of all on Vulkan and ROCm. The constants of @mai/performance-model are those of today's
// engines, so a prompt of an earlier year is compared with a slower prediction. Generation used its bandwidth well from the start. What
// changed is that CUDA starts all work of a token at once. The progress is fitted with the constants.

/** Results of this time or later need no correction: the newest of data/speed are from summer and autumn of 2026. */
const TODAY = 2026.5;
const MAX_YEARS = 4;
/**
 * From this month on, llama.cpp records the work of a token as a CUDA graph (pull request 6766). Until then it started each operation by
 * itself. An RTX 3090 generated 10 % faster with the graph and an RTX 4090 6 %: 25 and 13 microseconds for each layer of Llama 2 7B.
 */
const CUDA_GRAPHS = 2024 + 5 / 12;
const MICRO = 1e-6;

/**
 * The time that an engine of the result's date needs, relative to an engine of today.
 *
 * @param progress - of prompts, by back end: growth of the logarithm of speed in a year; none for CPUs. `launchMicroseconds`: what a layer
 *   cost in addition without CUDA graphs
 * @param secondsToday - of a generated token, as predicted
 * @returns 1 on CPUs, where the date is not known, and where nothing changed
 */
export function engineFactor({ date }, question, progress, secondsToday) {
  const time = timeOf(date);
  const { gpu } = question.machine;
  if (time === null || gpu === null) return 1;
  if (question.test === 'prompt')
    return Math.exp(progress[gpu.backend] * Math.min(Math.max(0, TODAY - time), MAX_YEARS));
  if (gpu.backend !== 'cuda' || time >= CUDA_GRAPHS) return 1;
  const layersOnGpu = question.shape.layers * question.placement.offloadRatio;
  return 1 + (layersOnGpu * progress.launchMicroseconds * MICRO) / secondsToday;
}

/** A date as a year with a fraction; null where it is not known. */
function timeOf(date) {
  const found = /^(\d{4})(?:-(\d\d))?/.exec(typeof date === 'string' ? date : '');
  if (found === null) return null;
  const [, year, month = '6.5'] = found;
  return Number(year) + (Number(month) - 0.5) / 12;
}
