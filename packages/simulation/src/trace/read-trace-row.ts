import {
  failValue,
  isFields,
  readNumber,
  warnOfUnknown,
  type Complaints,
  type Fields,
} from './read-fields.js';
import { readTraceEvent } from './read-trace-event.js';
import type { TraceGpu, TraceRow } from './trace.js';

const FIELDS = [
  'tMs',
  'ram',
  'gpus',
  'cpuOthersRatio',
  'onBattery',
  'swapInPerSecond',
  'pressure',
  'requests',
  'events',
];
/** One request a millisecond. Each request takes time to simulate, so the rate is limited. */
const REQUESTS_PER_MINUTE_MAX = 60_000;
/** A century. */
const DURATION_MAX_MS = 100 * 366 * 86_400_000;
const LEVELS = ['normal', 'warning', 'critical'] as const;

/**
 * Reads one row. Fields that are left out have the values of the row before, except for `events`.
 *
 * @returns `null` where the row cannot be used; `complaints` says why.
 */
export function readTraceRow(
  value: unknown,
  before: TraceRow | null,
  complaints: Complaints,
): TraceRow | null {
  if (!isFields(value)) {
    complaints.fail('a row must be an object');
    return null;
  }
  let usable = true;
  const fail = (message: string): void => {
    usable = false;
    complaints.fail(message);
  };
  const own: Complaints = { ...complaints, fail };
  for (const key of Object.keys(value)) {
    if (!FIELDS.includes(key))
      fail(`unknown field '${key}'; the known fields are ${FIELDS.join(', ')}`);
  }
  const ram = readObject(value, 'ram', ['totalBytes', 'othersBytes'], own);
  const requests = readObject(value, 'requests', ['ratePerMinute', 'meanSeconds'], own);
  const onBattery = value['onBattery'] ?? before?.onBattery ?? false;
  if (typeof onBattery !== 'boolean') failValue('onBattery', 'true or false', onBattery, own);
  const events = value['events'] ?? [];
  if (!Array.isArray(events)) failValue('events', 'a list', events, own);
  const row: TraceRow = {
    tMs: readNumber(value['tMs'], null, 'tMs', own),
    ram: {
      totalBytes: readNumber(
        ram['totalBytes'],
        before?.ram.totalBytes ?? null,
        'ram.totalBytes',
        own,
      ),
      othersBytes: readNumber(
        ram['othersBytes'],
        before?.ram.othersBytes ?? null,
        'ram.othersBytes',
        own,
      ),
    },
    gpus: readGpus(value['gpus'] ?? before?.gpus ?? [], own),
    cpuOthersRatio: readNumber(
      value['cpuOthersRatio'],
      before?.cpuOthersRatio ?? 0,
      'cpuOthersRatio',
      own,
    ),
    onBattery: onBattery === true,
    requests: {
      ratePerMinute: readNumber(
        requests['ratePerMinute'],
        before?.requests.ratePerMinute ?? 0,
        'requests.ratePerMinute',
        own,
      ),
      meanSeconds: readNumber(
        requests['meanSeconds'],
        before?.requests.meanSeconds ?? 0,
        'requests.meanSeconds',
        own,
      ),
    },
    ...readSwap(value['swapInPerSecond'] ?? before?.swapInPerSecond, own),
    ...readPressure(value['pressure'] ?? before?.pressure, own),
    events: (Array.isArray(events) ? events : []).flatMap((event) => readTraceEvent(event, own)),
  };
  if (row.ram.totalBytes === 0 && usable) fail("'ram.totalBytes' must be more than 0");
  if (row.requests.ratePerMinute > REQUESTS_PER_MINUTE_MAX)
    fail(`'requests.ratePerMinute' must be at most ${REQUESTS_PER_MINUTE_MAX}`);
  if (value['cpuOthersRatio'] !== undefined && row.cpuOthersRatio > 1)
    own.warn(`'cpuOthersRatio' is a share from 0 to 1, not ${row.cpuOthersRatio}`);
  if (row.tMs > DURATION_MAX_MS) fail(`'tMs' must be at most ${DURATION_MAX_MS}, a century`);
  if (before !== null && row.tMs < before.tMs) fail(`'tMs' goes back from ${before.tMs}`);
  if (before === null && row.tMs !== 0) fail("the first row's 'tMs' must be 0");
  return usable ? row : null;
}

function readObject(
  value: Fields,
  key: string,
  known: readonly string[],
  complaints: Complaints,
): Fields {
  const found = value[key] ?? {};
  if (isFields(found)) {
    warnOfUnknown(found, known, `'${key}'`, complaints);
    return found;
  }
  failValue(key, 'an object', found, complaints);
  return {};
}

function readGpus(gpus: unknown, complaints: Complaints): readonly TraceGpu[] {
  if (!Array.isArray(gpus) || !gpus.every(isFields)) {
    failValue('gpus', 'a list of objects', gpus, complaints);
    return [];
  }
  return gpus.map((gpu) => {
    warnOfUnknown(gpu, ['totalBytes', 'othersBytes', 'unified'], "'gpus'", complaints);
    const { totalBytes, othersBytes, unified = false } = gpu;
    if (typeof unified !== 'boolean')
      failValue('gpus.unified', 'true or false', unified, complaints);
    return {
      totalBytes: readNumber(totalBytes, null, 'gpus.totalBytes', complaints),
      othersBytes: readNumber(othersBytes, null, 'gpus.othersBytes', complaints),
      unified: unified === true,
    };
  });
}

function readSwap(value: unknown, complaints: Complaints): Pick<TraceRow, 'swapInPerSecond'> {
  if (value === undefined) return {};
  return { swapInPerSecond: readNumber(value, null, 'swapInPerSecond', complaints) };
}

function readPressure(value: unknown, complaints: Complaints): Pick<TraceRow, 'pressure'> {
  if (value === undefined) return {};
  const level = LEVELS.find((one) => one === value);
  if (level !== undefined) return { pressure: level };
  if (typeof value === 'number' && value >= 0 && value <= 1) return { pressure: value };
  failValue('pressure', '0 to 1, or normal, warning or critical', value, complaints);
  return {};
}
