import { formatBytes, formatCount } from '@mai/host';
import { totalBytesOf } from '@mai/memory-ledger';
import type { ModelReport } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { footprintSource } from '../machine/describe-footprint.js';
import { explainRejection } from './explain-rejection.js';

/** The table of `mai models`: the memory of each model, and whether it fits. */
export function renderModels(models: readonly ModelReport[], output: Output, indent = 0): string {
  const { style, unicode } = output;
  if (models.length === 0) return 'No model is downloaded.\n';
  const rows = models.map(({ profile, sizeBytes, loaded, footprint, rejection }) => [
    loaded ? style.accent(unicode ? '●' : '*') : '',
    profile.downloaded ? profile.modelKey : style.dim(profile.modelKey),
    profile.tier,
    sizeBytes === null ? '' : formatBytes(sizeBytes),
    formatCount(profile.contextLengthTokens),
    footprint === null ? '' : formatBytes(totalBytesOf(footprint)),
    footprint === null ? '' : style.dim(footprintSource(footprint)),
    profile.downloaded
      ? verdict(rejection === null ? null : explainRejection(rejection), output)
      : style.dim('not downloaded'),
    style.dim(profile.capabilities.join(' ')),
  ]);
  return renderTable({
    columns: [
      { header: '' },
      { header: 'MODEL', minWidth: 25, cut: 'middle' },
      { header: 'TIER' },
      { header: 'SIZE', align: 'right', dispensable: 1 },
      { header: 'CONTEXT', align: 'right', dispensable: 2 },
      { header: 'TAKES', align: 'right' },
      { header: 'FROM', dispensable: 4 },
      // Wide enough for 'needs 12.3 GiB more RAM', except on the narrowest terminals.
      { header: 'FITS', minWidth: output.tableWidth < 72 ? 14 : 26 },
      { header: 'CAN', dispensable: 5 },
    ],
    rows,
    width: output.tableWidth,
    style,
    indent,
    ellipsis: unicode ? '…' : '...',
  });
}

function verdict(whyNot: string | null, { style, unicode }: Output): string {
  if (whyNot === null) return style.good(unicode ? '✓ fits' : 'fits');
  return style.bad(unicode ? `✗ ${whyNot}` : `no: ${whyNot}`);
}
