/**
 * Like `checkRange` of the memory ledger, for a whole number.
 * @throws RangeError if the number is not a whole number in the range.
 */
export function checkWholeNumber(
  name: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}.`);
}
