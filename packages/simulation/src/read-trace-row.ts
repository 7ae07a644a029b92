import {
  isFields,
  readTraceEvent,
  warnOfUnknown,
  type Complaints,
  type Fields,
} from './read-trace-event.js';
import type { TraceRow } from './trace.js';

const FIELDS = new Set([
  'tMs',
  'ram',
  'gpus',
  'cpuOthersRatio',
  'onBattery',
  'swapInPerSecond',
  'pressure',
  'requests',
  'events',
]);
/** One a millisecond. A trace that asks for more would take as long as that. */
const MOST_REQUESTS_PER_MINUTE = 60_000;
/** A century. */
const LONGEST_MS = 100 * 366 * 86_400_000;
const LEVELS = ['normal', 'warning', 'critical'] as const;

/** One row; what it leaves out is as in the row before. Null where anything is wrong with it. */
export function readTraceRow(
  value: unknown,
  before: TraceRow | null,
  complaints: Complaints,
): TraceRow | null {
  if (!isFields(value)) {
    complaints.fail('a row is an object');
    return null;
  }
  let sound = true;
  const fail = (message: string): void => {
    sound = false;
    complaints.fail(message);
  };
  const own: Complaints = { ...complaints, fail };
  for (const key of Object.keys(value)) if (!FIELDS.has(key)) fail(`unknown field '${key}'`);
  const number = (fields: Fields, key: string, otherwise: number | null, name = key): number => {
    const found = fields[key] ?? otherwise;
    if (typeof found === 'number' && Number.isFinite(found) && found >= 0) return found;
    fail(`'${name}' must be a number that is not negative`);
    return 0;
  };
  const object = (key: string, known: readonly string[]): Fields => {
    const found = value[key] ?? {};
    if (isFields(found)) {
      warnOfUnknown(found, known, `'${key}'`, own);
      return found;
    }
    fail(`'${key}' must be an object`);
    return {};
  };
  const ram = object('ram', ['totalBytes', 'othersBytes']);
  const requests = object('requests', ['ratePerMinute', 'meanSeconds']);
  const onBattery = value['onBattery'] ?? before?.onBattery ?? false;
  if (typeof onBattery !== 'boolean') fail("'onBattery' must be true or false");
  const gpus = value['gpus'] ?? before?.gpus ?? [];
  if (!Array.isArray(gpus) || !gpus.every(isFields)) fail("'gpus' must be a list of objects");
  const events = value['events'] ?? [];
  if (!Array.isArray(events)) fail("'events' must be a list");
  const row: TraceRow = {
    tMs: number(value, 'tMs', null),
    ram: {
      totalBytes: number(ram, 'totalBytes', before?.ram.totalBytes ?? null, 'ram.totalBytes'),
      othersBytes: number(ram, 'othersBytes', before?.ram.othersBytes ?? null, 'ram.othersBytes'),
    },
    gpus: (Array.isArray(gpus) ? gpus.filter(isFields) : []).map((gpu) => {
      warnOfUnknown(gpu, ['totalBytes', 'othersBytes', 'unified'], "'gpus'", own);
      const { unified = false } = gpu;
      if (typeof unified !== 'boolean') fail("'gpus.unified' must be true or false");
      return {
        totalBytes: number(gpu, 'totalBytes', null, 'gpus.totalBytes'),
        othersBytes: number(gpu, 'othersBytes', null, 'gpus.othersBytes'),
        unified: unified === true,
      };
    }),
    cpuOthersRatio: number(value, 'cpuOthersRatio', before?.cpuOthersRatio ?? 0),
    onBattery: onBattery === true,
    requests: {
      ratePerMinute: number(
        requests,
        'ratePerMinute',
        before?.requests.ratePerMinute ?? 0,
        'requests.ratePerMinute',
      ),
      meanSeconds: number(
        requests,
        'meanSeconds',
        before?.requests.meanSeconds ?? 0,
        'requests.meanSeconds',
      ),
    },
    ...(value['swapInPerSecond'] === undefined && before?.swapInPerSecond === undefined
      ? {}
      : { swapInPerSecond: number(value, 'swapInPerSecond', before?.swapInPerSecond ?? null) }),
    ...readPressure(value['pressure'] ?? before?.pressure, own),
    events: (Array.isArray(events) ? events : []).flatMap((event) => readTraceEvent(event, own)),
  };
  if (row.ram.totalBytes === 0 && sound) fail("'ram.totalBytes' must be more than 0");
  if (row.requests.ratePerMinute > MOST_REQUESTS_PER_MINUTE)
    fail(`'requests.ratePerMinute' must be at most ${MOST_REQUESTS_PER_MINUTE}`);
  if (value['cpuOthersRatio'] !== undefined && row.cpuOthersRatio > 1)
    own.warn(`'cpuOthersRatio' is a share of 1, not ${row.cpuOthersRatio}`);
  if (row.tMs > LONGEST_MS) fail(`'tMs' must be at most ${LONGEST_MS}, a century`);
  if (before !== null && row.tMs < before.tMs) fail(`'tMs' goes back from ${before.tMs}`);
  if (before === null && row.tMs !== 0) fail("the first row's 'tMs' must be 0");
  return sound ? row : null;
}

function readPressure(value: unknown, { fail }: Complaints): Pick<TraceRow, 'pressure'> {
  if (value === undefined || value === null) return {};
  const level = LEVELS.find((one) => one === value);
  if (level !== undefined) return { pressure: level };
  if (typeof value === 'number' && value >= 0 && value <= 1) return { pressure: value };
  fail("'pressure' must be 0 to 1, or normal, warning or critical");
  return {};
}
