/** Rounds up to a multiple of `alignment`. */
export function pad(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
