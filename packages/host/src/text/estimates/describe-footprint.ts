import { formatBytes } from '../../words.js';
import { type Footprint, totalBytesOf } from '@mai/memory-ledger';

/** The source of a footprint, as a phrase. */
export const FOOTPRINT_SOURCES: Readonly<Record<Footprint['source'], string>> = {
  measured: 'measured on this machine',
  lmstudio: "LM Studio's own estimate",
  'gguf-header': 'from the GGUF header',
  'safetensors-header': 'from the headers of its safetensors files',
  'file-size': 'from the file size',
  configured: 'from the configuration',
};

/** `6.1 GiB (5.8 to 6.6 GiB), from the GGUF header, high confidence`. */
export function describeFootprint(footprint: Footprint): string {
  const { interval, source, confidence } = footprint;
  const range =
    interval === null
      ? ''
      : ` (${formatBytes(interval.lowBytes)} to ${formatBytes(interval.highBytes)})`;
  return `${formatBytes(totalBytesOf(footprint))}${range}, ${FOOTPRINT_SOURCES[source]}, ${confidence} confidence`;
}

/** Source and confidence of a footprint, short enough for a table: `header, high`. */
export function footprintSource({ source, confidence }: Footprint): string {
  const short = {
    measured: 'measured',
    lmstudio: 'LM Studio',
    'gguf-header': 'header',
    'safetensors-header': 'header',
    'file-size': 'file size',
    configured: 'configured',
  };
  return `${short[source]}, ${confidence}`;
}
