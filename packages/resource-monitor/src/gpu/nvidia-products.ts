/**
 * Product names of NVIDIA GPUs without memory of their own: DGX Spark (GB10), RTX Spark (N1X) and Jetson.
 * No field of nvidia-smi tells whether a GPU has memory of its own. For some of these GPUs nvidia-smi prints no
 * memory. For others it prints only the part of RAM that firmware has set aside (the carve-out): 8128 MiB for
 * an N1X that can use 46477 MiB (https://github.com/unslothai/unsloth/pull/11208).
 */
const SHARED_MEMORY_PRODUCTS = /\b(GB10|N1X?|Spark|Jetson|Thor|Orin|Xavier|Tegra)\b/i;

/** Whether a GPU of this name uses system memory. */
export function usesSystemMemory(name: string | null): boolean {
  return name !== null && SHARED_MEMORY_PRODUCTS.test(name);
}
