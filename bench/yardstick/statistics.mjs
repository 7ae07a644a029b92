/** The median. For an even count, the larger of the two middle numbers. */
export function median(numbers) {
  return quantile(numbers, 0.5);
}

/** The number below which a share of the numbers lies, 0 to 1. */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
