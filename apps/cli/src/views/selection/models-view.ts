import {
  describeTradeOffs,
  explainRejection,
  footprintSource,
  formatBytes,
  formatCount,
  speedCells,
} from '@mai/host';
import { totalBytesOf } from '@mai/memory-ledger';
import type { ModelReport } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';

/** The table of `mai models`: the memory of each model, and whether it fits. */
export function renderModels(models: readonly ModelReport[], output: Output, indent = 0): string {
  const { style, unicode } = output;
  if (models.length === 0) return 'No model is downloaded.\n';
  const inStores = models.some(({ sources }) => sources.length > 0);
  const rows = models.map((model) => {
    const { profile, sizeBytes, loaded, footprint, sources } = model;
    const { tokensPerSecond, firstToken, load, quality } = speedCells(model);
    return [
      loaded ? style.accent(unicode ? '●' : '*') : '',
      profile.downloaded ? profile.modelKey : style.dim(profile.modelKey),
      profile.tier,
      sizeBytes === null ? '' : formatBytes(sizeBytes),
      formatCount(profile.contextLengthTokens),
      footprint === null ? '' : formatBytes(totalBytesOf(footprint)),
      footprint === null ? '' : style.dim(footprintSource(footprint)),
      verdict(model, output),
      tokensPerSecond,
      firstToken,
      load,
      quality,
      ...(inStores ? [style.dim([...new Set(sources.map(({ store }) => store))].join(' '))] : []),
      style.dim(profile.capabilities.join(' ')),
    ];
  });
  return renderTable({
    columns: [
      { header: '' },
      { header: 'MODEL', minWidth: 25, cut: 'middle' },
      { header: 'TIER' },
      { header: 'SIZE', align: 'right', dispensable: 1 },
      { header: 'CONTEXT', align: 'right', dispensable: 2 },
      { header: 'TAKES', align: 'right' },
      { header: 'FROM', dispensable: 8 },
      // Wide enough for 'needs 12.3 GiB more RAM', except on terminals narrower than 72 columns.
      { header: 'FITS', minWidth: output.tableWidth < 72 ? 14 : 26 },
      { header: 'TOKENS/S', align: 'right', dispensable: 3 },
      { header: 'FIRST TOKEN', align: 'right', dispensable: 7 },
      { header: 'LOADS IN', align: 'right', dispensable: 6 },
      { header: 'QUALITY', align: 'right', dispensable: 4 },
      ...(inStores ? [{ header: 'IN', dispensable: 5 }] : []),
      { header: 'CAN', dispensable: 9 },
    ],
    rows,
    output,
    indent,
  });
}

function verdict({ profile, rejection, cheaper }: ModelReport, { style, unicode }: Output): string {
  if (!profile.downloaded && profile.refusal === null) return style.dim('not downloaded');
  if (rejection === null) return style.good(unicode ? '✓ fits' : 'fits');
  if (cheaper !== null) return style.caution(`~ fits with ${describeTradeOffs(cheaper.tradeOffs)}`);
  const whyNot = explainRejection(rejection);
  return style.bad(unicode ? `✗ ${whyNot}` : `no: ${whyNot}`);
}
