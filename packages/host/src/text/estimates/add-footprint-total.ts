import { type Footprint, totalBytesOf } from '@mai/memory-ledger';
import { isRecord } from '../../guards.js';

/** A replacer for `JSON.stringify`: adds `totalBytes` to each footprint that lacks it. */
export function addFootprintTotal(_key: string, value: unknown): unknown {
  if (!isFootprint(value) || 'totalBytes' in value) return value;
  return { ...value, totalBytes: totalBytesOf(value) };
}

function isFootprint(value: unknown): value is Pick<Footprint, 'ram' | 'gpus'> {
  return (
    isRecord(value) &&
    isRecord(value['ram']) &&
    typeof value['ram']['mappedBytes'] === 'number' &&
    typeof value['ram']['anonymousBytes'] === 'number' &&
    Array.isArray(value['gpus']) &&
    value['gpus'].every((gpu) => isRecord(gpu) && typeof gpu['bytes'] === 'number')
  );
}
