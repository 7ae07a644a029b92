import { formatBytes, formatPercent } from '@mai/host';
import type { MeasureReport } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';

/** Why a measurement gave no figures. */
const WHY_NOT = {
  NOT_SETTLED: 'memory use kept changing; close busy programs and try again',
  DISTURBED: 'another program took memory during the measurement; try again',
  IMPLAUSIBLE: 'the reading is implausible for this model; try again',
  NOTHING_SEEN: 'the load was visible neither in the engine nor in free memory; try again',
} as const;

/** A measurement as text: expected and taken memory side by side. */
export function renderMeasurement(report: MeasureReport, output: Output): string {
  const { style } = output;
  const { modelKey, engine, predicted, outcome } = report;
  const heading = `${style.heading(modelKey)}  ${style.dim(`${engine.name} ${engine.version}`)}`;
  if (outcome.measured === null) {
    return `${heading}\n\n${style.caution('Not measured')}: ${WHY_NOT[outcome.reason]}. The result was not stored.\n`;
  }
  const { anonymousBytes, gpus, method } = outcome.measured;
  const rows = [
    row('RAM, without mapped weights', predicted.ram.anonymousBytes, anonymousBytes),
    ...predicted.gpus.map(({ deviceKey, bytes }, index) =>
      row(
        predicted.gpus.length === 1 ? 'VRAM' : `VRAM ${index + 1}`,
        bytes,
        gpus.find((gpu) => gpu.deviceKey === deviceKey)?.bytes ?? null,
      ),
    ),
  ];
  const table = renderTable({
    columns: [
      { header: 'MEMORY' },
      { header: 'EXPECTED', align: 'right' },
      { header: 'TAKEN', align: 'right' },
      { header: 'DIFFERENCE', align: 'right' },
    ],
    rows,
    output,
  });
  const how =
    method === 'process'
      ? "read from the engine's processes"
      : 'roughly, from the change of free memory';
  return `${heading}\n\n${table.trimEnd()}\n\nMeasured (${how}); estimates of this model use the result from now on.\n`;
}

function row(name: string, expected: number, taken: number | null): readonly string[] {
  const difference =
    taken === null || expected === 0
      ? ''
      : `${taken >= expected ? '+' : '-'}${formatPercent(Math.abs(taken / expected - 1))}`;
  return [name, formatBytes(expected), formatBytes(taken), difference];
}
