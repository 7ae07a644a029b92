import {
  failValue,
  isFields,
  readNumber,
  warnOfUnknown,
  type Complaints,
  type Fields,
} from './read-fields.js';
import type { TraceEvent } from './trace.js';

const FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['lmStudioDown', ['type']],
  ['lmStudioUp', ['type']],
  ['gpuLost', ['type', 'gpu']],
  ['gpuBack', ['type', 'gpu']],
  ['failNextLoads', ['type', 'count']],
  ['foreignLoad', ['type', 'instanceIdentifier', 'modelKey', 'ramBytes', 'vramBytes', 'gpu']],
  ['foreignUnload', ['type', 'instanceIdentifier']],
]);

/** Reads one event. Returns an empty list for a value that is not an object or has an unknown type. */
export function readTraceEvent(value: unknown, complaints: Complaints): TraceEvent[] {
  if (!isFields(value)) {
    complaints.fail('an event must be an object');
    return [];
  }
  const { type } = value;
  const known = FIELDS.get(type);
  if (known === undefined) {
    failValue('type', `one of ${[...FIELDS.keys()].join(', ')}`, type, complaints);
    return [];
  }
  warnOfUnknown(value, known, `event '${String(type)}'`, complaints);
  const number = (key: string, fallback: number): number =>
    readNumber(value[key], fallback, key, complaints);
  const text = (key: string, fallback: string): string =>
    readText(value[key], fallback, key, complaints);
  switch (type) {
    case 'lmStudioDown':
    case 'lmStudioUp':
      return [{ type }];
    case 'gpuLost':
    case 'gpuBack':
      return [{ type, ...readGpu(value, complaints) }];
    case 'failNextLoads':
      return [{ type, count: readCount(value, complaints) }];
    case 'foreignLoad':
      return [
        {
          type,
          instanceIdentifier: text('instanceIdentifier', 'foreign'),
          modelKey: text('modelKey', 'somebody/else'),
          ramBytes: number('ramBytes', 0),
          vramBytes: number('vramBytes', 0),
          ...readGpu(value, complaints),
        },
      ];
    case 'foreignUnload':
      return [{ type, instanceIdentifier: text('instanceIdentifier', 'foreign') }];
    default:
      return [];
  }
}

function readCount({ count = 1 }: Fields, complaints: Complaints): number {
  if (isWhole(count)) return count;
  failValue('count', 'a whole number of at least 0', count, complaints);
  return 0;
}

function readGpu({ gpu }: Fields, complaints: Complaints): { readonly gpu?: number } {
  if (gpu === undefined) return {};
  if (isWhole(gpu)) return { gpu };
  failValue('gpu', "an index into 'gpus', from 0", gpu, complaints);
  return {};
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function readText(value: unknown, fallback: string, name: string, complaints: Complaints): string {
  if (value === undefined) return fallback;
  if (typeof value === 'string') return value;
  failValue(name, 'text', value, complaints);
  return fallback;
}
