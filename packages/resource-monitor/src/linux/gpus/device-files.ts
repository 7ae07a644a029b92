import type { FileTree } from '../../ports/file-tree.js';
import type { DrmCard } from './drm-cards.js';

/**
 * Whether programs here can open a card. A container sees all cards of its machine in sysfs, but only the device files that it
 * was started with. Engines for AMD's and Intel's cards open the card's render node, and those for NVIDIA's cards open
 * /dev/nvidiactl or, for Vulkan, the render node.
 *
 * @returns Also true if that cannot be told, because the kernel lists no render node or there is no /dev.
 */
export function hasDeviceFile(files: FileTree, { folder, vendor }: DrmCard): boolean {
  const nodes = files.list(`${folder}/drm`).filter((name) => /^renderD\d+$/.test(name));
  if (nodes.length === 0 || !files.exists('/dev/null')) return true;
  if (vendor === 'nvidia' && files.exists('/dev/nvidiactl')) return true;
  return nodes.some((name) => files.exists(`/dev/dri/${name}`));
}
