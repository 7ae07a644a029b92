import path from 'node:path';
import {
  getModels,
  type Host,
  plotSvg,
  plotText,
  speedCells,
  unreachableNotes,
  writeNamedFile,
  type Comparison,
} from '@mai/host';
import { CAPABILITIES } from '@mai/memory-ledger';
import type { Input } from '../../arguments/input.js';
import { GOALS } from '../../arguments/choices.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';

/** `mai compare [KEY...]`: quality against speed, as a plot and a table, or as an SVG file. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const svg = input.text('svg');
  await using host = await openHostOf(context);
  const goal = input.choice('goal', GOALS);
  const capabilities = input.listOf('require', CAPABILITIES) ?? [];
  const comparison = await host.compare({ modelKeys: input.positionals, goal, capabilities });
  const { length } = comparison.models;
  if (svg !== null && length > 0) {
    await writeNamedFile(path.resolve(io.cwd, svg), plotSvg(comparison), true);
  }
  if (output.json) output.resultJson(comparison);
  else if (length > 0) output.result(render(comparison, output));
  else output.result(await describeNone(host));
  if (svg !== null) output.note(length > 0 ? `The plot is in ${svg}.` : 'No plot was written.');
  return length === 0 ? EXIT.nothingFits : EXIT.success;
}

async function describeNone(host: Host): Promise<string> {
  const list = await host.models();
  if (list.downloadedCount > 0) return 'No downloaded model fits. `mai models` says why.\n';
  const notes = unreachableNotes(list);
  return notes.length > 0
    ? `No usable model was found. ${notes.join(' ')}\n`
    : `No model is downloaded. ${getModels(list.origin)}\n`;
}

function render(comparison: Comparison, output: Output): string {
  const { textWidth: width, unicode } = output;
  const rows = comparison.models.map((model, index) => {
    const { tokensPerSecond, firstToken, load, quality } = speedCells(model);
    const value = model.value === null ? '' : model.value.toFixed(2);
    return [`${index + 1}`, model.modelKey, value, quality, tokensPerSecond, firstToken, load];
  });
  const headers = ['VALUE', 'QUALITY', 'TOKENS/S', 'FIRST TOKEN', 'LOADS IN'] as const;
  const columns = [
    { header: '' },
    { header: 'MODEL', minWidth: 25, cut: 'middle' as const },
    ...headers.map((header) => ({ header, align: 'right' as const })),
  ];
  const plot = plotText(comparison, { width, height: 14, unicode });
  return `${plot === '' ? '' : `${plot}\n\n`}Goal: ${comparison.goal}, quality for ${comparison.use} use\n${renderTable({ columns, rows, output })}`;
}
