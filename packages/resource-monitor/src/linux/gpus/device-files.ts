import type { FileTree } from '../../ports/file-tree.js';
import type { DrmCard } from './drm-cards.js';

/** The file that engines for NVIDIA's cards open, besides one for each card. */
const NVIDIA_CONTROL = '/dev/nvidiactl';

/**
 * Why programs of this user cannot open a card. Engines for AMD's and Intel's cards open the card's render node, and those for
 * NVIDIA's cards open /dev/nvidiactl or, for Vulkan, the render node.
 *
 * - A container sees all cards of its machine in sysfs, but only the device files that it was started with.
 * - Most distributions let only members of the group `render` open a render node. LM Studio and the embedded engine usually run
 *   as this user. Where LM Studio runs as another user, its hardware survey lists the card.
 *
 * @returns Null if programs of this user can open the card. Also null if that cannot be told, because the kernel lists no
 *   render node or there is no /dev.
 */
export function whyClosed(files: FileTree, { folder, vendor, name }: DrmCard): string | null {
  const nodes = files
    .list(`${folder}/drm`)
    .filter((node) => /^renderD\d+$/.test(node))
    .map((node) => `/dev/dri/${node}`);
  if (nodes.length === 0 || !files.exists('/dev/null')) return null;
  const usual = vendor === 'nvidia' ? [NVIDIA_CONTROL, ...nodes] : nodes;
  if (usual.some((file) => files.mayOpen(file))) return null;
  const forbidden = usual.find((file) => files.exists(file));
  return forbidden === undefined
    ? `/dev has no device file of ${name}, so programs here cannot use it. A container gets the device files that it is started with, for example with --device /dev/dri`
    : `this user may not open ${forbidden} (${name}), so programs of this user cannot use it. The group of the file, often render, may open it: add this user to that group and log in again`;
}
