import {
  asServed,
  describeFootprint,
  describeNoChoice,
  describeSteps,
  describeTradeOffs,
  explainChoice,
  explainNote,
  explainRejection,
  formatBytes,
  formatCount,
  plural,
  tradeOffsOf,
  wrap,
  wrapBehind,
} from '@mai/host';
import type { Resources } from '@mai/memory-ledger';
import type { Selection, SelectionNote, SelectionReport } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { renderPoolLegend, renderPools } from '../machine/memory-pools.js';

/** A decision as text: the choice, the plan, memory afterwards, and why the other candidates were not chosen. */
export function renderSelection(
  { selection, input, obstacle }: Pick<SelectionReport, 'selection' | 'input' | 'obstacle'>,
  output: Output,
): string {
  const { style } = output;
  const { candidates, resources } = input;
  const absent = new Set(
    candidates
      .filter(({ downloaded, refusal }) => !downloaded && refusal === null)
      .map(({ modelKey }) => modelKey),
  );
  const sections = [
    renderChoice(asServed(selection, input), input, obstacle, output),
    selection.pools.length === 0
      ? ''
      : [
          style.heading(selection.plan.steps.length > 0 ? 'Memory afterwards' : 'Memory'),
          ...renderPools(selection.pools, resources, 'after', output),
          ...renderPoolLegend(selection.pools, output),
        ].join('\n'),
    renderRejected(selection, absent, output),
    renderNotes(selection.notes, resources, output),
  ];
  return `${sections
    .map((text) => text.trimEnd())
    .filter((text) => text !== '')
    .join('\n\n')}\n`;
}

const LABEL_WIDTH = 9;

function renderChoice(
  selection: Selection,
  input: SelectionReport['input'],
  obstacle: SelectionReport['obstacle'],
  output: Output,
): string {
  const { style, textWidth } = output;
  const { chosen, headroomBytes } = selection;
  const row = (label: string, text: string) =>
    wrapBehind(label.padEnd(LABEL_WIDTH), text, textWidth).join('\n');
  if (chosen === null) {
    return [row('Choice', style.bad(describeNoChoice(obstacle))), ...planRows(selection, row)].join(
      '\n',
    );
  }
  const tradeOffs = describeTradeOffs(tradeOffsOf(selection, input));
  const why = explainChoice(selection, input);
  const { contextLengthTokens } = chosen.loadOption.loadConfig;
  const context =
    contextLengthTokens === null ? '' : `, ${formatCount(contextLengthTokens)} tokens of context`;
  return [
    row('Choice', `${style.accent(style.bold(chosen.modelKey))}  ${chosen.tier}${context}`),
    chosen.footprint === null ? '' : row('Takes', describeFootprint(chosen.footprint)),
    tradeOffs === '' ? '' : row('', `Trade-off: ${tradeOffs}`),
    why === null ? '' : row('Why', why),
    ...planRows(selection, row),
    headroomBytes === null
      ? ''
      : row('Leaves', `${formatBytes(headroomBytes)} free in the tightest pool`),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function planRows(
  selection: Selection,
  row: (label: string, text: string) => string,
): readonly string[] {
  const { decision, afterDrain } = selection;
  const keeps = decision === 'keep';
  const steps = describeSteps(selection);
  return [
    ...(keeps ? [row('Plan', 'keep it: it is loaded and is the best model that fits')] : []),
    ...(steps === '' ? [] : [row(keeps ? '' : 'Plan', steps)]),
    ...(afterDrain === null
      ? []
      : [row('Later', `${afterDrain.modelKey}, once ${afterDrain.waitsFor.join(', ')} is idle`)]),
  ];
}

/**
 * A table of the rejected candidates. Candidates after the chosen one share a line, and
 * candidates that are not downloaded share another line.
 */
function renderRejected(
  { rejected }: Selection,
  absent: ReadonlySet<string>,
  output: Output,
): string {
  const { style, textWidth } = output;
  const present = rejected.filter(({ modelKey }) => !absent.has(modelKey));
  const later = present.filter(({ rejection }) => rejection.code === 'PREFERRED_CANDIDATE_FITS');
  const rows = present.filter((one) => !later.includes(one));
  const missing = rejected.length - present.length;
  const asides = [
    later.length === 0
      ? ''
      : `Later in the chain: ${later.map(({ modelKey }) => modelKey).join(', ')}.`,
    missing === 0
      ? ''
      : `${plural(missing, 'model')} of the chain ${missing === 1 ? 'is' : 'are'} not downloaded; \`mai models --all\` lists them.`,
  ];
  const remarks = asides
    .filter((text) => text !== '')
    .flatMap((text) => wrap(text, textWidth - 2))
    .map((line) => style.dim(`  ${line}`));
  if (rows.length === 0) return remarks.join('\n');
  const table = renderTable({
    columns: [
      { header: 'MODEL', minWidth: 16, cut: 'middle' },
      { header: 'WHY NOT', minWidth: 20 },
    ],
    rows: rows.map(({ modelKey, rejection }) => [
      modelKey,
      style.caution(explainRejection(rejection)),
    ]),
    output,
  });
  return `${style.heading('Why not the others')}\n${table}${remarks.join('\n')}`;
}

function renderNotes(
  notes: readonly SelectionNote[],
  resources: Resources,
  { style, textWidth }: Output,
): string {
  return notes
    .flatMap((note) => explainNote(note, resources) ?? [])
    .flatMap((text) => wrapBehind(`${style.caution('note:')} `, text, textWidth))
    .join('\n');
}
