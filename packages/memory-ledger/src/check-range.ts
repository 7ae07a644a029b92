/**
 * Checks a number that a caller gave. NaN is in no range.
 *
 * @param most - default: no limit
 * @throws RangeError if the number is not in the range.
 */
export function checkRange(name: string, value: number, least: number, most = Infinity): void {
  if (value >= least && value <= most) return;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`${name} must be a number ${range}, not ${value}.`);
}
