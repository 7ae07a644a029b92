// Engines read prompts faster every year, most of all on Vulkan and ROCm. The constants of @mai/performance-model are those of today's
// engines, so a prompt of an earlier year is compared with a slower prediction. Generation used its bandwidth well from the start. What
// changed is the time to start the work of a layer. The progress is fitted with the constants.

/** Results of this time or later need no correction: the newest of data/speed are from summer and autumn of 2026. */
const TODAY = 2026.5;
const MAX_YEARS = 4;
/**
 * From this month on, llama.cpp records the work of a token as a CUDA graph (pull request 6766). Until then it started each operation by
 * itself. An RTX 3090 generated 10 % faster with the graph and an RTX 4090 6 %: 25 and 13 microseconds for each layer of Llama 2 7B.
 */
const CUDA_GRAPHS = 2024 + 5 / 12;
/** On Volta and Turing, llama.cpp records graphs since July 2026 only (pull request 25749). Pascal has none; its own constant holds that. */
const LATER_GRAPHS = 2026 + 6.5 / 12;
const VOLTA_OR_TURING = /\b(V100|TITAN (V|RTX)|GV100|T4|RTX ?20[678]0|GTX ?16\d\d|Quadro RTX)\b/i;
/**
 * From these months on, a mixture of experts starts fewer operations in each layer. For CUDA, and for ROCm, which runs the same code, llama.cpp
 * joined operations from August to October 2025 (pull requests 15631, 16130, 16649 and 16715). On Metal, operations run side by side since
 * September 2025 (pull request 15929). An RTX PRO 6000 generated 287 tokens per second with gpt-oss-20b in August 2025 and 391 in
 * November, an M2 Ultra 116 and 133: 38 and 45 microseconds for each layer.
 */
const JOINED_OPERATIONS = { cuda: 2025 + 10 / 12, rocm: 2025 + 10 / 12, metal: 2025 + 8 / 12 };
const MICRO = 1e-6;

/**
 * The time that an engine of the result's date needs, relative to an engine of today.
 *
 * @param progress - of prompts, by back end: growth of the logarithm of speed in a year; none for CPUs. `launchMicroseconds`: what a layer
 *   cost in addition without CUDA graphs. `mixtureMicroseconds`: what a layer of a mixture cost in addition before `JOINED_OPERATIONS`
 * @param secondsToday - of a generated token, as predicted
 * @returns 1 on CPUs, where the date is not known, and where nothing changed
 */
export function engineFactor({ date, device }, question, progress, secondsToday) {
  const time = timeOf(date);
  const { gpu } = question.machine;
  if (time === null || gpu === null) return 1;
  if (question.test === 'prompt')
    return Math.exp(progress[gpu.backend] * Math.min(Math.max(0, TODAY - time), MAX_YEARS));
  const { shape, placement } = question;
  const graphs = VOLTA_OR_TURING.test(device) ? LATER_GRAPHS : CUDA_GRAPHS;
  const launch = gpu.backend === 'cuda' && time < graphs ? progress.launchMicroseconds : 0;
  const mixture =
    shape.expertBytes > 0 && time < JOINED_OPERATIONS[gpu.backend]
      ? progress.mixtureMicroseconds
      : 0;
  const layersOnGpu = shape.layers * placement.offloadRatio;
  return 1 + (layersOnGpu * (launch + mixture) * MICRO) / secondsToday;
}

/** A date as a year with a fraction; null where it is not known. */
function timeOf(date) {
  const found = /^(\d{4})(?:-(\d\d))?/.exec(typeof date === 'string' ? date : '');
  if (found === null) return null;
  const [, year, month = '6.5'] = found;
  return Number(year) + (Number(month) - 0.5) / 12;
}
