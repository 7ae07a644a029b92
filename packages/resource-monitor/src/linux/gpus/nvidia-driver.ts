import type { Clock } from '../../ports/clock.js';
import type { FileTree } from '../../ports/file-tree.js';
import { isSuspended, listDrmCards, RUNTIME_STATUS } from './drm-cards.js';

/** Devices are listed again after this time, because a device can be plugged in or the driver loaded later. */
const RELIST_AFTER_MS = 30_000;
/** Devices are listed here, because /sys/class/drm lists them only if the driver's display part is loaded. */
const DRIVER_FOLDER = '/sys/module/nvidia/drivers/pci:nvidia';

/**
 * Whether every NVIDIA GPU is suspended by the kernel's runtime power management. Any call of nvidia-smi wakes
 * all of them. False if there is no NVIDIA GPU, or if the kernel does not report the state of a GPU.
 */
export function nvidiaSleep(files: FileTree, clock: Clock): () => boolean {
  let folders: readonly string[] = [];
  let listedAtMs: number | null = null;
  return () => {
    const nowMs = clock.monotonicMs();
    if (listedAtMs === null || nowMs - listedAtMs > RELIST_AFTER_MS) {
      folders = [
        ...listDrmCards(files)
          .filter(({ vendor }) => vendor === 'nvidia')
          .map(({ folder }) => folder),
        ...files
          .list(DRIVER_FOLDER)
          .filter((name) => /^[0-9a-f]+:[0-9a-f]+:/i.test(name))
          .map((name) => `${DRIVER_FOLDER}/${name}`),
      ];
      listedAtMs = nowMs;
    }
    return (
      folders.length > 0 &&
      folders.every((folder) => isSuspended(files.readText(`${folder}/${RUNTIME_STATUS}`)))
    );
  };
}

/** Facts that NVIDIA's driver reports without waking the GPU. Null for a fact that the driver does not know. */
export function readNvidiaFacts(
  files: FileTree,
  pciAddress: string | null,
): { readonly name: string | null; readonly uuid: string | null } {
  const text = files.readText(`/proc/driver/nvidia/gpus/${pciAddress}/information`) ?? '';
  const name = /^Model:\s*(\S.*)$/m.exec(text)?.[1]?.trim() ?? null;
  return {
    name: name === 'Unknown' ? null : name,
    // The driver prints question marks until the GPU has been used for the first time.
    uuid: /^GPU UUID:\s*(GPU-[0-9a-f-]+)\s*$/m.exec(text)?.[1] ?? null,
  };
}
