import type { Footprint } from '@mai/memory-ledger';
import { formatBytes } from '../../terminal/format.js';

const SOURCES: Readonly<Record<Footprint['source'], string>> = {
  measured: 'measured on this machine',
  lmstudio: "LM Studio's own estimate",
  'gguf-header': 'from its GGUF header',
  'file-size': 'from its file size',
  configured: 'from the configuration',
};

/** Everything that a model takes, over RAM and GPUs. */
export function footprintBytes({ ram, gpus }: Footprint): number {
  return gpus.reduce((sum, { bytes }) => sum + bytes, ram.mappedBytes + ram.anonymousBytes);
}

/** `6.1 GiB (5.8 to 6.6 GiB), from its GGUF header, high confidence`. */
export function describeFootprint(footprint: Footprint): string {
  const { interval, source, confidence } = footprint;
  const range =
    interval === null
      ? ''
      : ` (${formatBytes(interval.lowBytes)} to ${formatBytes(interval.highBytes)})`;
  return `${formatBytes(footprintBytes(footprint))}${range}, ${SOURCES[source]}, ${confidence} confidence`;
}

/** Where a footprint comes from, short enough for a table. */
export function footprintSource({ source, confidence }: Footprint): string {
  const short = {
    measured: 'measured',
    lmstudio: 'LM Studio',
    'gguf-header': 'header',
    'file-size': 'file size',
    configured: 'configured',
  };
  return `${short[source]}, ${confidence}`;
}
