import { formatBytes } from '@mai/host';
import type {
  ByteRange,
  EstimateReport,
  PartIntervals,
  ReportedDevice,
  ReportedRam,
} from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';

const PARTS: readonly (readonly [
  label: string,
  key: keyof ReportedRam & keyof PartIntervals,
  exact: string,
])[] = [
  ['weights', 'weightsBytes', 'weights'],
  ['repacked weights', 'repackBytes', 'repack'],
  ['KV cache', 'kvCacheBytes', 'kvCache'],
  ['recurrent state', 'recurrentStateBytes', 'recurrentState'],
  ['compute buffers', 'computeBytes', 'compute'],
  ['output buffer', 'outputBytes', 'output'],
  ['vision projector', 'visionProjectorBytes', ''],
  ['image encoder', 'visionEncoderBytes', ''],
  ['draft tokens', 'draftBytes', ''],
  ['engine', 'engineBytes', ''],
];

/** The table of parts: bytes in RAM and on each GPU, and the range of a part that is not exact. */
export function renderParts(
  { ram, gpus, exactParts, partIntervals }: EstimateReport,
  output: Output,
): string {
  const { style } = output;
  const present = PARTS.filter(([, key]) =>
    [ram, ...gpus].some((device) => bytesOf(device, key) > 0),
  );
  const rows = present.map(([label, key, exact]) => [
    label,
    formatBytes(bytesOf(ram, key)),
    ...gpus.map((gpu) => formatBytes(bytesOf(gpu, key))),
    exactParts.some((part) => part === exact)
      ? style.dim('exact')
      : style.caution(describeRange(partIntervals[key])),
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
    output,
  });
}

/** `1.0 to 1.4 GiB`. Both ends are equal where the header of a vision projector gives the size. */
function describeRange(range: ByteRange): string {
  const [low, high] = [range.lowBytes, range.highBytes].map(formatBytes);
  return low === high ? 'from its header' : `${low} to ${high}`;
}

function bytesOf(device: ReportedDevice & Partial<ReportedRam>, key: keyof ReportedRam): number {
  return device[key] ?? 0;
}
