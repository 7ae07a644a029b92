import type { TraceEvent } from './trace.js';

/** Told what is wrong with a row: what makes it useless, and what is merely passed over. */
export interface Complaints {
  readonly fail: (message: string) => void;
  readonly warn: (message: string) => void;
}
/** An object of which nothing else is known. */
export type Fields = Readonly<Record<string, unknown>>;

const FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['lmStudioDown', ['type']],
  ['lmStudioUp', ['type']],
  ['gpuLost', ['type', 'gpu']],
  ['gpuBack', ['type', 'gpu']],
  ['failNextLoads', ['type', 'count']],
  ['foreignLoad', ['type', 'instanceIdentifier', 'modelKey', 'ramBytes', 'vramBytes', 'gpu']],
  ['foreignUnload', ['type', 'instanceIdentifier']],
]);

/** One event, or none where something is wrong with it. */
export function readTraceEvent(value: unknown, complaints: Complaints): TraceEvent[] {
  if (!isFields(value)) {
    complaints.fail('an event is an object');
    return [];
  }
  const { type } = value;
  const known = FIELDS.get(type);
  if (known === undefined) {
    complaints.fail(`unknown event '${String(type)}'`);
    return [];
  }
  warnOfUnknown(value, known, `event '${String(type)}'`, complaints);
  switch (type) {
    case 'lmStudioDown':
    case 'lmStudioUp':
      return [{ type }];
    case 'gpuLost':
    case 'gpuBack':
      return [{ type, ...placeOf(value, complaints) }];
    case 'failNextLoads':
      return [{ type, count: countOf(value['count'], 1, complaints) }];
    case 'foreignLoad':
      return [
        {
          type,
          instanceIdentifier: textOf(value['instanceIdentifier'], 'foreign', complaints),
          modelKey: textOf(value['modelKey'], 'somebody/else', complaints),
          ramBytes: countOf(value['ramBytes'], 0, complaints),
          vramBytes: countOf(value['vramBytes'], 0, complaints),
          ...placeOf(value, complaints),
        },
      ];
    case 'foreignUnload':
      return [
        { type, instanceIdentifier: textOf(value['instanceIdentifier'], 'foreign', complaints) },
      ];
    default:
      return [];
  }
}

/** Warns of fields that nobody reads: most are misspelt. */
export function warnOfUnknown(
  value: Fields,
  known: readonly string[],
  where: string,
  { warn }: Complaints,
): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      warn(`unknown field '${key}' of ${where} is passed over; it has ${known.join(', ')}`);
  }
}

function placeOf(value: Fields, { fail }: Complaints): { readonly gpu?: number } {
  const { gpu } = value;
  if (gpu === undefined) return {};
  if (typeof gpu === 'number' && Number.isInteger(gpu) && gpu >= 0) return { gpu };
  fail("an event's 'gpu' must be its place in 'gpus', from 0");
  return {};
}

function countOf(value: unknown, otherwise: number, { fail }: Complaints): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  fail('a count or a size of an event must be a number that is not negative');
  return 0;
}

function textOf(value: unknown, otherwise: string, { fail }: Complaints): string {
  if (value === undefined) return otherwise;
  if (typeof value === 'string') return value;
  fail("an event's 'instanceIdentifier' and 'modelKey' must be text");
  return otherwise;
}

/** Whether it has fields to be read. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
