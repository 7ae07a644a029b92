import { totalBytesOf } from '@mai/memory-ledger';
import {
  describeCorrected,
  describeEstimatedSpeed,
  describeFit,
  describeGrowth,
  describeLmStudioEstimate,
  describeMlxGrowth,
  describeSettings,
  FOOTPRINT_SOURCES,
  formatBytes,
  formatCount,
  formatPercent,
  formatSpeed,
  grownCacheBytes,
  renderMeter,
  wrap,
} from '@mai/host';
import type { FitHere, ModelEstimate } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { renderParts } from './parts-table.js';
import { renderPoolLegend, renderPools } from '../machine/memory-pools.js';

/** An estimate as text: the sum, the settings behind it, and a chart by context length. */
export function renderEstimate(estimate: ModelEstimate, output: Output): string {
  const { title, report, refusal, fit, basis } = estimate;
  const { style } = output;
  const heading = `${style.heading(title)}  ${style.dim(report.architecture ?? 'unknown architecture')}`;
  if (refusal !== null) {
    const why = `${basis.kind === 'mlx' ? 'mlx-engine' : 'llama.cpp'} refuses to load this file: ${refusal.reason}.`;
    return `${heading}\n${wrap(style.bad(why), output.textWidth).join('\n')}\n`;
  }
  const total = [
    renderTotal(estimate, output),
    ...renderMlx(estimate, output),
    ...renderGrowth(estimate, output),
    ...renderOthers(estimate, output),
  ].join('\n');
  return [
    ...(basis.kind === 'size'
      ? [heading, total]
      : [
          `${heading}\n${renderSettings(estimate, output)}`,
          renderParts(report, output),
          total,
          renderChart(estimate, output),
        ]),
    ...(fit === null ? [] : [renderFit(fit, output)]),
  ]
    .map((text) => `${text.trimEnd()}\n`)
    .join('\n');
}

function renderSettings(estimate: ModelEstimate, { style, textWidth }: Output): string {
  return describeSettings(estimate)
    .flatMap((text) => wrap(text, textWidth - 2))
    .map((line) => `  ${style.dim(line)}`)
    .join('\n');
}

/** The total. For a model of which only the size is known, `mai models` shows the same total. */
function renderTotal({ basis, fit, report }: ModelEstimate, output: Output): string {
  const { style } = output;
  const judged = basis.kind === 'size' ? (fit?.footprint ?? null) : null;
  const { interval, source, confidence } = judged ?? report;
  const totalBytes = judged === null ? report.totalBytes : totalBytesOf(judged);
  const range =
    interval === null
      ? ''
      : `, ${formatPercent(interval.coverage)} of loads between ${formatBytes(interval.lowBytes)} and ${formatBytes(interval.highBytes)}`;
  const total = style.accent(style.bold(formatBytes(totalBytes)));
  const origin = `${FOOTPRINT_SOURCES[source]}, ${confidence} confidence`;
  const tokens = formatCount(report.loadConfig.contextLengthTokens);
  const text =
    basis.kind === 'size'
      ? `Takes ${total} with ${tokens} tokens of context${range} (${origin}). Only its size is known, so its parts are not shown.`
      : `Takes ${total}${range} (${origin}).`;
  return wrap(text, output.textWidth).join('\n');
}

/** The memory that a llama.cpp model may take after its load. */
function renderGrowth({ basis, report: { growth } }: ModelEstimate, { textWidth }: Output) {
  const text = basis.kind === 'mlx' || growth === null ? null : describeGrowth(growth);
  return text === null ? [] : wrap(`${text} \`mai doctor\` says how to bound it.`, textWidth);
}

function renderMlx(estimate: ModelEstimate, { textWidth }: Output): readonly string[] {
  const text = describeMlxGrowth(estimate);
  return text === null ? [] : wrap(text, textWidth);
}

function renderOthers(estimate: ModelEstimate, { style, textWidth }: Output): readonly string[] {
  const corrected = describeCorrected(estimate);
  const theirs = describeLmStudioEstimate(estimate);
  const isDoubtful = estimate.lmStudio !== null && estimate.lmStudio.disagreementRatio !== null;
  return [
    ...wrap(corrected ?? '', textWidth),
    ...wrap(theirs ?? '', textWidth).map((line) => (isDoubtful ? style.caution(line) : line)),
    ...wrap(describeEstimatedSpeed(estimate), textWidth),
  ].filter((line) => line !== '');
}

const CHART_FIGURES_WIDTH = 56;

function renderChart(
  { report, byContextLength: byContext, speed }: ModelEstimate,
  output: Output,
): string {
  const { style, unicode } = output;
  const taken = byContext.map((one) => one.totalBytes + grownCacheBytes(one));
  const largest = Math.max(...taken);
  const barWidth = Math.max(8, output.textWidth - CHART_FIGURES_WIDTH);
  const rows = byContext.map((one, index) => {
    const { loadConfig, ram, gpus } = one;
    const decoded = speed?.decodeByContext[index];
    const totalBytes = taken[index] ?? one.totalBytes;
    const asked = loadConfig.contextLengthTokens === report.loadConfig.contextLengthTokens;
    const atLoad = [ram, ...gpus].reduce((sum, { kvCacheBytes }) => sum + kvCacheBytes, 0);
    const cache = atLoad + grownCacheBytes(one);
    const paint = asked ? style.accent : style.dim;
    return [
      asked ? style.accent(unicode ? '▸' : '>') : '',
      formatCount(loadConfig.contextLengthTokens),
      formatBytes(cache),
      asked ? style.bold(formatBytes(totalBytes)) : formatBytes(totalBytes),
      renderMeter(totalBytes / largest, barWidth, unicode, paint),
      decoded === undefined ? '' : formatSpeed(decoded.expected),
    ];
  });
  const table = renderTable({
    columns: [
      { header: '' },
      { header: 'CONTEXT', align: 'right' },
      { header: 'KV CACHE', align: 'right' },
      { header: 'TAKES', align: 'right' },
      { header: ' ' },
      { header: 'TOKENS/S', align: 'right' },
    ],
    rows,
    output,
    indent: 0,
  });
  const depth =
    speed === null ? '' : `  ${style.dim('tokens per second at the end of the context')}`;
  return `${style.heading('By context length')}${depth}\n${table}`;
}

function renderFit(fit: FitHere, output: Output): string {
  const { rejection, cheaper, pools, resources } = fit;
  const { style } = output;
  const fits = rejection === null || cheaper !== null;
  return [
    style.heading(fits ? 'On this machine, loaded' : 'On this machine now'),
    ...wrap(verdictOf(fit, output), output.textWidth - 2).map((line) => `  ${line}`),
    ...renderPools(cheaper?.pools ?? pools, resources, 'after', output),
    ...renderPoolLegend(cheaper?.pools ?? pools, output),
  ].join('\n');
}

function verdictOf(fit: FitHere, { style, unicode }: Output): string {
  const mark =
    fit.rejection === null
      ? style.good(unicode ? '✓' : 'yes:')
      : fit.cheaper !== null
        ? style.caution('~')
        : style.bad(unicode ? '✗' : 'no:');
  return `${mark} ${describeFit(fit)}`;
}
