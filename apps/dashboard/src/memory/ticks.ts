const GIB = 1024 ** 3;

/** Steps of a memory axis in bytes: 64 MiB to 1 TiB in powers of two, so that each tick is a round figure. */
export function tickSteps(): readonly number[] {
  return Array.from({ length: 15 }, (_, index) => (GIB / 16) * 2 ** index);
}

/** The text of a tick: `8 GiB`, `512 MiB`, `0`. */
export function tickLabel(bytes: number): string {
  if (bytes === 0) return '0';
  return bytes >= GIB
    ? `${Number((bytes / GIB).toFixed(2))} GiB`
    : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
