import type { WorldGuardrails } from '../world/world.js';
import type { WorldMachine } from '../world/world-machine.js';
import type { MemoryUse, ModelBytes } from '../memory/memory.js';

const KEPT_FREE = { off: 0, low: 0, medium: 0.05, high: 0.15, custom: 0 } as const;

/** Whether LM Studio's guardrails allow a load. They count weights and context, but not compute buffers. */
export function passesGuardrails(
  guardrails: WorldGuardrails,
  machine: WorldMachine,
  residents: MemoryUse,
  bytes: ModelBytes,
): boolean {
  if (guardrails.mode === 'off') return true;
  const wanted = bytes.weights + bytes.projector + bytes.context;
  const dedicated = machine.gpus
    .map((gpu, index) => ({ gpu, resident: residents.gpus[index]?.bytes ?? 0 }))
    .filter(({ gpu }) => gpu.memory === 'dedicated');
  const residentBytes = guardrails.countsResidents
    ? residents.ram.anonymousBytes +
      residents.ram.mappedBytes +
      dedicated.reduce((sum, { resident }) => sum + resident, 0)
    : 0;
  if (guardrails.mode === 'custom' && guardrails.customThresholdBytes !== null) {
    return residentBytes + wanted <= guardrails.customThresholdBytes;
  }
  const capacity = machine.ramBytes + dedicated.reduce((sum, { gpu }) => sum + gpu.totalBytes, 0);
  const others =
    (guardrails.countsOthersRam ? machine.othersRamBytes : 0) +
    (guardrails.countsOthersVram
      ? dedicated.reduce((sum, { gpu }) => sum + gpu.othersBytes, 0)
      : 0);
  return residentBytes + others + wanted <= capacity * (1 - KEPT_FREE[guardrails.mode]);
}
