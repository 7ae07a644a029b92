import type { MergedGpu } from '../gpu/merge-gpus.js';
import type { MachineInventory } from './inventory.js';

/** Gives GPUs that are only known by number the name that the inventory has for their address. */
export function refineGpus(
  gpus: readonly MergedGpu[],
  inventory: MachineInventory | null,
): readonly MergedGpu[] {
  if (inventory === null) return gpus;
  return gpus.map((entry) => {
    const { gpu } = entry;
    if (gpu.name !== null || gpu.pciAddress === null) return entry;
    const known = inventory.gpus.find(({ pciAddress }) => pciAddress === gpu.pciAddress);
    return known === undefined || known.name === ''
      ? entry
      : { ...entry, gpu: { ...gpu, name: known.name } };
  });
}
