import { describeMeasurement, measurementCells, type MeasureReport } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';

/** A measurement as text: expected and taken memory side by side. */
export function renderMeasurement(report: MeasureReport, output: Output): string {
  const { style } = output;
  const { modelKey, engine, outcome } = report;
  const heading = `${style.heading(modelKey)}  ${style.dim(`${engine.name} ${engine.version}`)}`;
  const text = describeMeasurement(report);
  if (outcome.measured === null) {
    return `${heading}\n\n${text.replace('Not measured', style.caution('Not measured'))}\n`;
  }
  const headers = ['EXPECTED', 'TAKEN', 'DIFFERENCE'] as const;
  const columns = [
    { header: 'MEMORY' },
    ...headers.map((header) => ({ header, align: 'right' as const })),
  ];
  const table = renderTable({ columns, rows: measurementCells(report), output });
  return `${heading}\n\n${table.trimEnd()}\n\n${text}\n`;
}
