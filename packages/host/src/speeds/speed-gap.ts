import { hasOwnMemory } from '@mai/memory-ledger';
import { publishedSpeedOf, type SpeedResources } from './speed-subject.js';

/** Why the speeds of models on another machine of LM Link are not known, as a clause that follows 'because'. */
export const LINKED_GAP = 'LM Studio does not report the GPUs of other machines of LM Link';

/**
 * Why no speed is known on a machine with these GPUs before a measurement, as a clause that follows 'because'. Null where the bandwidth of
 * each GPU is known: it is in the table of devices, or it is that of RAM.
 */
export function speedGap(resources: SpeedResources): string | null {
  const unknown = resources.gpus.find(
    (gpu) => hasOwnMemory(gpu, resources) && publishedSpeedOf(gpu, resources) === null,
  );
  if (unknown === undefined) return null;
  const name = unknown.name ?? 'a GPU that reports no name';
  return `the bandwidth of ${name} is not known. \`mai bench\` measures a model, and then predicts the others`;
}
