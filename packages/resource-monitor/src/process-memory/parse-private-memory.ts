/** `Anonymous:      12345 kB` of smaps_rollup, in bytes; null where the kernel does not print it. */
export function parseSmapsRollup(text: string): number | null {
  const kibibytes = /^Anonymous:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** What `footprint -f bytes` prints: `name [12]: 64-bit Footprint: 46137344 B (16384 bytes per page)`. */
export function parseFootprint(text: string): number | null {
  const all = [...text.matchAll(/\[\d+\].*\bFootprint:\s+(\d+) B\b/g)];
  return all.length === 0 ? null : all.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}
