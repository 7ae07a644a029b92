import type { EstimatedLoad } from '../../by-hand/plan-loads.js';
import type { MeasureReport } from '../../learning/measure-model.js';
import { totalBytesOf } from '@mai/memory-ledger';
import { formatBytes, formatPercent } from '../../words.js';

/** Why a measurement gave no figures. */
const WHY_NOT = {
  NOT_SETTLED: 'memory use kept changing; close busy programs and try again',
  DISTURBED: 'another program took memory during the measurement; try again',
  IMPLAUSIBLE: 'the reading is implausible for this model; try again',
  NOTHING_SEEN: 'the load was visible neither in the engine nor in free memory; try again',
} as const;

/** The lines of a measurement's table: the memory, what was expected, what was taken, and the difference. */
export function measurementCells({
  predicted,
  outcome,
}: Pick<MeasureReport, 'predicted' | 'outcome'>): readonly (readonly string[])[] {
  if (outcome.measured === null) return [];
  const { anonymousBytes, gpus } = outcome.measured;
  return [
    cells('RAM, without mapped weights', predicted.ram.anonymousBytes, anonymousBytes),
    ...predicted.gpus.map(({ deviceKey, bytes }, index) =>
      cells(
        predicted.gpus.length === 1 ? 'VRAM' : `VRAM ${index + 1}`,
        bytes,
        gpus.find((gpu) => gpu.deviceKey === deviceKey)?.bytes ?? null,
      ),
    ),
  ];
}

/** How a measurement was taken, or why it gave no figures, as a sentence. */
export function describeMeasurement({ outcome }: Pick<MeasureReport, 'outcome'>): string {
  if (outcome.measured === null) {
    return `Not measured: ${WHY_NOT[outcome.reason]}. The result was not stored.`;
  }
  const how =
    outcome.measured.method === 'process'
      ? "read from the engine's processes"
      : 'roughly, from the change of free memory';
  return `Measured (${how}); estimates of this model use the result from now on.`;
}

/** The expected memory of a load by hand, as a clause behind the model key. */
export function describeEstimatedLoad({ estimate, footprint }: EstimatedLoad): string {
  if (estimate !== null) {
    const outcome = estimate.passesGuardrails ? 'load' : 'refuse';
    return `LM Studio expects ${formatBytes(estimate.totalBytes)} and would ${outcome} it`;
  }
  if (footprint !== null) return `Mai expects ${formatBytes(totalBytesOf(footprint))}`;
  return "the runtime gives no estimate, and `mai estimate` gives Mai's own";
}

function cells(name: string, expected: number, taken: number | null): readonly string[] {
  const difference =
    taken === null || expected === 0
      ? ''
      : `${taken >= expected ? '+' : '-'}${formatPercent(Math.abs(taken / expected - 1))}`;
  return [name, formatBytes(expected), formatBytes(taken), difference];
}
