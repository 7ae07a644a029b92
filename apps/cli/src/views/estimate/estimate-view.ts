import { totalBytesOf } from '@mai/memory-ledger';
import {
  describeEngine,
  describeGrowth,
  describeUnknownSettings,
  describeFootprint,
  describeTradeOffs,
  explainRejection,
  FOOTPRINT_SOURCES,
  formatBytes,
  formatCount,
  formatPercent,
  renderMeter,
  wrap,
} from '@mai/host';
import type { EstimateReport, FitHere, ModelEstimate } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { renderParts } from './parts-table.js';
import { renderPoolLegend, renderPools } from '../machine/memory-pools.js';

/** An estimate as text: the sum, the settings behind it, and a chart by context length. */
export function renderEstimate(estimate: ModelEstimate, output: Output): string {
  const { title, report, refusal, byContextLength, fit, basis } = estimate;
  const { style } = output;
  const heading = `${style.heading(title)}  ${style.dim(report.architecture ?? 'unknown architecture')}`;
  if (refusal !== null) {
    const why = `llama.cpp refuses to load this file: ${refusal.reason}.`;
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
          renderChart(report, byContextLength, output),
        ]),
    ...(fit === null ? [] : [renderFit(fit, output)]),
  ]
    .map((text) => `${text.trimEnd()}\n`)
    .join('\n');
}

function renderSettings({ basis, report }: ModelEstimate, { style, textWidth }: Output): string {
  const { loadConfig, profile } = report;
  const { kvCacheTypeK, kvCacheTypeV, parallelSequences, kvUnified } = loadConfig;
  const sequences =
    parallelSequences === 1
      ? 'one sequence'
      : `${parallelSequences} sequences that ${kvUnified ? 'share one cache' : 'have a cache each'}`;
  const gpu =
    loadConfig.gpuBackend === 'none'
      ? 'no GPU'
      : `${formatCount(loadConfig.gpuLayers)} layers on the GPU (${loadConfig.gpuBackend})`;
  const facts = [
    `${formatCount(loadConfig.contextLengthTokens)} tokens of context`,
    // mlx-engine does not have these settings.
    ...(basis.kind === 'mlx'
      ? []
      : [
          `KV cache ${kvCacheTypeK === kvCacheTypeV ? kvCacheTypeK : `${kvCacheTypeK}/${kvCacheTypeV}`}`,
          `flash attention ${loadConfig.flashAttention ? 'on' : 'off'}`,
        ]),
    sequences,
    gpu,
  ];
  const unknown = profile === null ? null : describeUnknownSettings(profile);
  const engine =
    profile === null
      ? []
      : [`defaults of ${describeEngine(profile)}${unknown === null ? '' : `; ${unknown}`}`];
  return [facts.join(', '), ...engine]
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

/** The memory that an MLX model grows to. Its KV cache is not allocated at the load. */
function renderMlx({ mlx, report }: ModelEstimate, { textWidth }: Output): readonly string[] {
  if (mlx === null || mlx.peakBytes === null) return [];
  const { contextLengthTokens } = report.loadConfig;
  const texts = [
    `Its KV cache grows with the tokens. While the model reads a prompt of ${formatCount(contextLengthTokens)} tokens, it takes ${formatBytes(mlx.peakBytes)}.`,
    ...(mlx.staysBelowWiredLimit === false
      ? [
          'Together with the 3 GiB that the engine keeps free, this is more than the GPU may hold here.',
        ]
      : []),
    ...(mlx.fittedContextTokens === null
      ? []
      : [
          `The auto-fit of the engine would choose ${formatCount(mlx.fittedContextTokens)} tokens here.`,
        ]),
  ];
  return wrap(texts.join(' '), textWidth);
}

/** The KV cache of one sequence. An MLX model allocates it after the load, so it is part of the growth. */
function grownCacheOf({ growth, loadConfig }: EstimateReport): number {
  const grown = growth?.parts.find(({ kind }) => kind === 'kv-cache');
  return (grown?.mostBytes ?? 0) / loadConfig.parallelSequences;
}

function renderOthers(
  { corrected, lmStudio }: ModelEstimate,
  { style, textWidth }: Output,
): string[] {
  const texts = [
    ...(corrected === null
      ? []
      : [
          corrected.source === 'measured'
            ? `Measured on this machine: ${describeFootprint(corrected)}.`
            : `Corrected by measured loads on this machine: ${describeFootprint(corrected)}.`,
        ]),
    ...(lmStudio === null ? [] : [lmStudioSays(lmStudio)]),
  ];
  const doubtful = lmStudio !== null && lmStudio.disagreementRatio !== null;
  return texts.flatMap((text, index) =>
    wrap(text, textWidth).map((line) =>
      doubtful && index === texts.length - 1 ? style.caution(line) : line,
    ),
  );
}

function lmStudioSays({
  totalBytes,
  disagreementRatio,
}: NonNullable<ModelEstimate['lmStudio']>): string {
  const says = `LM Studio's own estimate, without compute buffers, is ${formatBytes(totalBytes)}`;
  return disagreementRatio === null
    ? `${says}.`
    : `${says}: ${disagreementRatio.toFixed(1)} times Mai's estimate for the same parts.`;
}

const CHART_FIGURES_WIDTH = 46;

function renderChart(
  report: EstimateReport,
  byContext: readonly EstimateReport[],
  output: Output,
): string {
  const { style, unicode } = output;
  const taken = byContext.map((one) => one.totalBytes + grownCacheOf(one));
  const largest = Math.max(...taken);
  const barWidth = Math.max(8, output.textWidth - CHART_FIGURES_WIDTH);
  const rows = byContext.map((one, index) => {
    const { loadConfig, ram, gpus } = one;
    const totalBytes = taken[index] ?? one.totalBytes;
    const asked = loadConfig.contextLengthTokens === report.loadConfig.contextLengthTokens;
    const atLoad = [ram, ...gpus].reduce((sum, { kvCacheBytes }) => sum + kvCacheBytes, 0);
    const cache = atLoad + grownCacheOf(one);
    const paint = asked ? style.accent : style.dim;
    return [
      asked ? style.accent(unicode ? '▸' : '>') : '',
      formatCount(loadConfig.contextLengthTokens),
      formatBytes(cache),
      asked ? style.bold(formatBytes(totalBytes)) : formatBytes(totalBytes),
      renderMeter(totalBytes / largest, barWidth, unicode, paint),
    ];
  });
  const table = renderTable({
    columns: [
      { header: '' },
      { header: 'CONTEXT', align: 'right' },
      { header: 'KV CACHE', align: 'right' },
      { header: 'TAKES', align: 'right' },
      { header: ' ' },
    ],
    rows,
    output,
    indent: 0,
  });
  return `${style.heading('By context length')}\n${table}`;
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

function verdictOf({ rejection, cheaper }: FitHere, output: Output): string {
  const { style, unicode } = output;
  if (rejection === null) return `${style.good(unicode ? '✓' : 'yes:')} It fits as it is.`;
  if (cheaper !== null) {
    return `${style.caution('~')} It fits with ${describeTradeOffs(cheaper.tradeOffs)}.`;
  }
  const no = style.bad(unicode ? '✗' : 'no:');
  return rejection.code === 'INSUFFICIENT_RAM' || rejection.code === 'INSUFFICIENT_VRAM'
    ? `${no} It ${explainRejection(rejection)}. No trade-off, such as a shorter context, makes it fit.`
    : `${no} It can't be loaded now: ${explainRejection(rejection)}.`;
}
