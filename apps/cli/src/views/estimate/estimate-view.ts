import type { EstimateReport, ReportedDevice, ReportedRam } from '@mai/memory-estimator';
import type { FitsHere } from '../../estimate/fits-here.js';
import type { OtherSources } from '../../estimate/other-sources.js';
import { renderMeter } from '../../terminal/bar.js';
import { formatBytes, formatCount, formatPercent } from '../../terminal/format.js';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { wrap } from '../../terminal/text.js';
import { describeFootprint, FOOTPRINT_SOURCES } from '../machine/describe-footprint.js';
import { explainRejection } from '../selection/explain-rejection.js';
import { renderPoolLegend, renderPools } from '../machine/memory-pools.js';

/** The estimates of one model. */
export interface EstimateFacts {
  readonly report: EstimateReport;
  /** The same model at other context lengths. */
  readonly byContext: readonly EstimateReport[];
  /** Whether it fits this machine; `null` where the settings describe another machine. */
  readonly here: FitsHere | null;
  /** `null` for a file that is not a downloaded model. */
  readonly others: OtherSources | null;
}

/** An estimate as text: settings, parts, total, a chart by context length, and whether it fits here. */
export function renderEstimate(
  name: string,
  { report, byContext, here, others }: EstimateFacts,
  output: Output,
): string {
  const { style } = output;
  return [
    `${style.heading(name)}  ${style.dim(report.architecture ?? 'unknown architecture')}\n${renderSettings(report, output)}`,
    renderParts(report, output),
    [renderTotal(report, output), ...renderOthers(others, output)].join('\n'),
    renderChart(report, byContext, output),
    ...(here === null ? [] : [renderHere(here, output)]),
  ]
    .map((text) => `${text.trimEnd()}\n`)
    .join('\n');
}

function renderSettings({ loadConfig }: EstimateReport, { style, textWidth }: Output): string {
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
    `KV cache ${kvCacheTypeK === kvCacheTypeV ? kvCacheTypeK : `${kvCacheTypeK}/${kvCacheTypeV}`}`,
    `flash attention ${loadConfig.flashAttention ? 'on' : 'off'}`,
    sequences,
    gpu,
  ];
  return wrap(facts.join(', '), textWidth - 2)
    .map((line) => `  ${style.dim(line)}`)
    .join('\n');
}

const PARTS: readonly (readonly [label: string, key: keyof ReportedRam, exact: string])[] = [
  ['weights', 'weightsBytes', 'weights'],
  ['repacked weights', 'repackBytes', 'repack'],
  ['KV cache', 'kvCacheBytes', 'kvCache'],
  ['recurrent state', 'recurrentStateBytes', 'recurrentState'],
  ['compute buffers', 'computeBytes', 'compute'],
  ['output buffer', 'outputBytes', 'output'],
  ['vision projector', 'visionProjectorBytes', ''],
];

function renderParts({ ram, gpus, exactParts }: EstimateReport, output: Output): string {
  const { style } = output;
  const present = PARTS.filter(([, key]) =>
    [ram, ...gpus].some((device) => bytesOf(device, key) > 0),
  );
  const rows = present.map(([label, key, exact]) => [
    label,
    formatBytes(bytesOf(ram, key)),
    ...gpus.map((gpu) => formatBytes(bytesOf(gpu, key))),
    exactParts.some((part) => part === exact) ? style.dim('exact') : style.caution('estimated'),
    key === 'weightsBytes' && ram.mappedBytes > 0
      ? style.dim('mapped: the system can drop these pages')
      : '',
  ]);
  const total = [
    style.bold('total'),
    style.bold(formatBytes(ram.totalBytes + ram.repackBytes)),
    ...gpus.map((gpu) => style.bold(formatBytes(gpu.totalBytes))),
    '',
    '',
  ];
  return renderTable({
    columns: [
      { header: 'PART' },
      { header: 'RAM', align: 'right' },
      ...gpus.map((_, index) => ({
        header: gpus.length === 1 ? 'GPU' : `GPU ${index + 1}`,
        align: 'right' as const,
      })),
      { header: '' },
      { header: '', dispensable: 1 },
    ],
    rows: [...rows, total],
    width: output.tableWidth,
    style,
  });
}

function bytesOf(device: ReportedDevice & Partial<ReportedRam>, key: keyof ReportedRam): number {
  return device[key] ?? 0;
}

function renderTotal({ totalBytes, interval, source, confidence }: EstimateReport, output: Output) {
  const { style } = output;
  const range =
    interval === null
      ? ''
      : `, ${formatPercent(interval.coverage)} of loads between ${formatBytes(interval.lowBytes)} and ${formatBytes(interval.highBytes)}`;
  return wrap(
    `Takes ${style.accent(style.bold(formatBytes(totalBytes)))}${range} (${FOOTPRINT_SOURCES[source]}, ${confidence} confidence).`,
    output.textWidth,
  ).join('\n');
}

function renderOthers(others: OtherSources | null, { style, textWidth }: Output): string[] {
  if (others === null) return [];
  const { corrected, lmStudio } = others;
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
}: NonNullable<OtherSources['lmStudio']>): string {
  const says = `LM Studio's own estimate, without compute buffers, is ${formatBytes(totalBytes)}`;
  return disagreementRatio === null
    ? `${says}.`
    : `${says}: ${disagreementRatio.toFixed(1)} times what the header gives for the same parts.`;
}

const CHART_FIGURES_WIDTH = 46;

function renderChart(
  report: EstimateReport,
  byContext: readonly EstimateReport[],
  output: Output,
): string {
  const { style, unicode } = output;
  const largest = Math.max(...byContext.map(({ totalBytes }) => totalBytes));
  const barWidth = Math.max(8, output.textWidth - CHART_FIGURES_WIDTH);
  const rows = byContext.map(({ loadConfig, ram, gpus, totalBytes }) => {
    const asked = loadConfig.contextLengthTokens === report.loadConfig.contextLengthTokens;
    const cache = [ram, ...gpus].reduce((sum, { kvCacheBytes }) => sum + kvCacheBytes, 0);
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
    width: output.tableWidth,
    style,
    indent: 0,
  });
  return `${style.heading('By context length')}\n${table}`;
}

function renderHere({ selection, resources, price }: FitsHere, output: Output): string {
  const { style, unicode, textWidth } = output;
  const { chosen, rejected, pools } = selection;
  const shortfall =
    rejected[0] === undefined ? 'does not fit' : explainRejection(rejected[0].rejection);
  const verdict =
    chosen === null
      ? `${style.bad(unicode ? '✗' : 'no:')} It ${shortfall}. No shorter context or smaller KV cache makes it fit.`
      : price === null
        ? `${style.good(unicode ? '✓' : 'yes:')} It fits as it is.`
        : `${style.caution(unicode ? '~' : 'almost:')} It fits with ${price}.`;
  return [
    style.heading(chosen === null ? 'On this machine now' : 'On this machine, loaded'),
    ...wrap(verdict, textWidth - 2).map((line) => `  ${line}`),
    ...renderPools(pools, resources, 'after', output),
    ...renderPoolLegend(pools, output),
  ].join('\n');
}
