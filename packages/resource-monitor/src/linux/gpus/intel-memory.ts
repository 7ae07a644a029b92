import type { FileTree } from '../../ports/file-tree.js';
import type { DrmCard } from './drm-cards.js';

/**
 * The VRAM of an Intel card; null if the driver does not report it.
 *
 * The xe driver has one file for each tile of a card (xe_tile_sysfs.c). The size includes the small part that
 * the driver keeps for itself. GPUs without VRAM have no such file. Intel's i915 for data centres has one file
 * for the card; the kernel's i915 has no such file. No driver reports how much VRAM is in use.
 */
export function readIntelVram(files: FileTree, { folder, name }: DrmCard): number | null {
  const tiles = files
    .list(folder)
    .filter((entry) => /^tile\d+$/.test(entry))
    .map((tile) => files.readText(`${folder}/${tile}/physical_vram_size_bytes`));
  const sizes =
    tiles.length > 0 ? tiles : [files.readText(`/sys/class/drm/${name}/lmem_total_bytes`)];
  let totalBytes = 0;
  for (const text of sizes) {
    const trimmed = text?.trim() ?? '';
    // If the size of one tile is unknown, so is the size of the card. The kernel's %pa prints a size as 0x….
    if (!/^(?:\d+|0x[\da-f]+)$/i.test(trimmed)) return null;
    totalBytes += Number(trimmed);
  }
  return totalBytes === 0 ? null : totalBytes;
}
