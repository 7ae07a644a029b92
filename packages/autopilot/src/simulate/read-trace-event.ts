import type { TraceEvent } from './trace.js';

/** Told what is wrong. */
export type Complain = (message: string) => void;
/** An object of which nothing else is known. */
export type Fields = Readonly<Record<string, unknown>>;

/** One event, or none where something is wrong with it. */
export function readTraceEvent(value: unknown, fail: Complain): TraceEvent[] {
  if (!isFields(value)) {
    fail('an event is an object');
    return [];
  }
  const { type } = value;
  switch (type) {
    case 'lmStudioDown':
    case 'lmStudioUp':
      return [{ type }];
    case 'gpuLost':
    case 'gpuBack':
      return [{ type, ...placeOf(value, fail) }];
    case 'failNextLoads':
      return [{ type, count: countOf(value['count'], 1, fail) }];
    case 'foreignLoad':
      return [
        {
          type,
          instanceIdentifier: textOf(value['instanceIdentifier'], 'foreign'),
          modelKey: textOf(value['modelKey'], 'somebody/else'),
          ramBytes: countOf(value['ramBytes'], 0, fail),
          vramBytes: countOf(value['vramBytes'], 0, fail),
          ...placeOf(value, fail),
        },
      ];
    case 'foreignUnload':
      return [{ type, instanceIdentifier: textOf(value['instanceIdentifier'], 'foreign') }];
    default:
      fail(`unknown event '${String(type)}'`);
      return [];
  }
}

function placeOf(value: Fields, fail: Complain): { readonly gpu?: number } {
  const { gpu } = value;
  if (gpu === undefined) return {};
  if (typeof gpu === 'number' && Number.isInteger(gpu) && gpu >= 0) return { gpu };
  fail("an event's 'gpu' must be its place in 'gpus', from 0");
  return {};
}

function countOf(value: unknown, otherwise: number, fail: Complain): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  fail('a count or a size of an event must be a number that is not negative');
  return 0;
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

/** Whether it has fields to be read. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
