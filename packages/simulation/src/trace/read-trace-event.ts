import {
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
    complaints.fail(`unknown event '${String(type)}'`);
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
      return [{ type, count: number('count', 1) }];
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

function readGpu(value: Fields, { fail }: Complaints): { readonly gpu?: number } {
  const { gpu } = value;
  if (gpu === undefined) return {};
  if (typeof gpu === 'number' && Number.isInteger(gpu) && gpu >= 0) return { gpu };
  fail("an event's 'gpu' must be an index into 'gpus', from 0");
  return {};
}

function readText(value: unknown, fallback: string, name: string, { fail }: Complaints): string {
  if (value === undefined) return fallback;
  if (typeof value === 'string') return value;
  fail(`'${name}' must be text`);
  return fallback;
}
