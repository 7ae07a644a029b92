import { hasOwnMemory, type Resources } from '@mai/memory-ledger';
import { gpuSpeedOf } from '@mai/performance-model';

/** Why the speeds of models on another machine of LM Link are not known, as a clause that follows 'because'. */
export const LINKED_GAP = 'LM Studio does not report the GPUs of other machines of LM Link';

/**
 * Why no speed is known on a machine with these GPUs before a measurement, as a clause that follows 'because'. Null where the bandwidth of
 * each GPU is known: it is in the table of devices, or it is that of RAM.
 */
export function speedGap(resources: Pick<Resources, 'gpus' | 'unified'>): string | null {
  const unknown = resources.gpus.find(
    (gpu) => hasOwnMemory(gpu, resources) && (gpu.name === null || gpuSpeedOf(gpu.name) === null),
  );
  if (unknown === undefined) return null;
  const name = unknown.name ?? 'a GPU that reports no name';
  return `the bandwidth of ${name} is not known. \`mai bench\` measures a model, and then predicts the others`;
}
