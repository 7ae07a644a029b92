import type { MeasureReport } from '../../compose/measure-model.js';
import { formatBytes, formatPercent } from '../../terminal/format.js';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';

const WHY_NOT = {
  NOT_SETTLED: 'memory kept moving: close what is busy and try again',
  DISTURBED: 'memory did not come back after the unload: something else took it meanwhile',
  IMPLAUSIBLE: 'what was read is far off anything that this model can take',
  NOTHING_SEEN: 'neither the engine nor free memory showed the load',
} as const;

/** A measurement for people: what was expected beside what was taken. */
export function renderMeasurement(report: MeasureReport, output: Output): string {
  const { style } = output;
  const { modelKey, engine, predicted, outcome } = report;
  const heading = `${style.heading(modelKey)}  ${style.dim(`${engine.name} ${engine.version}`)}`;
  if (outcome.measured === null) {
    return `${heading}\n\n${style.caution('Not measured')}: ${WHY_NOT[outcome.reason]}. Nothing was kept.\n`;
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
    width: output.tableWidth,
    style,
    ellipsis: output.unicode ? '…' : '...',
  });
  const how =
    method === 'process'
      ? "read from the engine's processes"
      : 'from what the machine had left, so only roughly';
  return `${heading}\n\n${table.trimEnd()}\n\nMeasured (${how}); estimates of this model follow it from now on.\n`;
}

function row(name: string, expected: number, taken: number | null): readonly string[] {
  const difference =
    taken === null || expected === 0
      ? ''
      : `${taken >= expected ? '+' : '-'}${formatPercent(Math.abs(taken / expected - 1))}`;
  return [name, formatBytes(expected), formatBytes(taken), difference];
}
