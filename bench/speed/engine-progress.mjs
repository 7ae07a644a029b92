// Engines read prompts faster every year, most of all on Vulkan and ROCm. Generation hardly changed: its bandwidth was used well from
// the start. The constants of @mai/performance-model are those of today's engines, so a prompt of an earlier year is compared
// with a slower prediction. The progress is fitted with the constants.

/** Results of this time or later need no correction: the newest of data/speed are from summer and autumn of 2026. */
const TODAY = 2026.5;
const MAX_YEARS = 4;

/**
 * The time that an engine of the result's date needs, relative to an engine of today.
 *
 * @param progress - by back end: growth of the logarithm of speed in a year; none for CPUs
 * @returns 1 for generation, on CPUs, and where the date is not known
 */
export function engineFactor({ date }, { machine, test }, progress) {
  const found = /^(\d{4})(?:-(\d\d))?/.exec(typeof date === 'string' ? date : '');
  if (found === null || machine.gpu === null || test !== 'prompt') return 1;
  const [, year, month = '6.5'] = found;
  const years = TODAY - (Number(year) + (Number(month) - 0.5) / 12);
  return Math.exp(progress[machine.gpu.backend] * Math.min(Math.max(0, years), MAX_YEARS));
}
