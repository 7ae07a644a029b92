/**
 * Product names of NVIDIA GPUs without memory of their own: DGX Spark (GB10), RTX Spark (N1X) and Jetson.
 * nvidia-smi has no field for that. For some of these it prints no memory at all, for others the part of RAM
 * that firmware has set aside (its carve-out): 8128 MiB for an N1X whose GPU can use 46477 MiB
 * (https://github.com/unslothai/unsloth/pull/11208).
 */
const SHARED_MEMORY_PRODUCTS = /\b(GB10|N1X?|Spark|Jetson|Thor|Orin|Xavier|Tegra)\b/i;

/** Whether a GPU of this name uses system memory. */
export function usesSystemMemory(name: string | null): boolean {
  return name !== null && SHARED_MEMORY_PRODUCTS.test(name);
}
