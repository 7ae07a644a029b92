/** A moment of a simulation: `0:00:00`, `27:05:09` since its beginning. */
export function formatSimulatedTime(atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** `97.4 %`: whole per cents would hide what policies differ by. */
export function formatPrecisePercent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
