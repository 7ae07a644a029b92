const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes as text: `3.4 GiB`, `512 MiB`, `0 B`; a dash where they are not known. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  let value = Math.abs(bytes);
  let unit = 0;
  // 1000, not 1024: '1,010 MiB' is harder to read than '0.99 GiB'.
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 0.995 ? 1 : 2;
  return `${bytes < 0 ? '-' : ''}${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** A count with thousands separated: `32,768`; a dash where it is not known. */
export function formatCount(count: number | null): string {
  return count === null ? '-' : String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count with its noun: `1 model`, `2 models`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** The address of a runtime as text: `127.0.0.1:1234`, `https://host:443`. */
export function displayAddress(baseUrl: string): string {
  return baseUrl.replace(/^ws:\/\//, '').replace(/^wss:/, 'https:');
}
