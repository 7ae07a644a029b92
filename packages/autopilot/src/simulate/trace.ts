/** What the rest of the machine does from `tMs` on, until the next row. */
export interface TraceRow {
  readonly tMs: number;
  readonly ram: { readonly totalBytes: number; readonly othersBytes: number };
  readonly gpus: readonly {
    readonly totalBytes: number;
    readonly othersBytes: number;
    /** Its memory is the RAM above, and counted there. */
    readonly unified: boolean;
  }[];
  readonly cpuOthersRatio: number;
  readonly onBattery: boolean;
  readonly requests: { readonly ratePerMinute: number; readonly meanSeconds: number };
  readonly events: readonly TraceEvent[];
}

/** Something that happens at the beginning of a row. */
export type TraceEvent =
  | { readonly type: 'lmStudioDown' }
  | { readonly type: 'lmStudioUp' }
  /** The next `count` loads fail. */
  | { readonly type: 'failNextLoads'; readonly count: number }
  /** Somebody loads a model by hand; it takes its bytes from RAM, or VRAM where `vramBytes` says so. */
  | {
      readonly type: 'foreignLoad';
      readonly instanceIdentifier: string;
      readonly modelKey: string;
      readonly ramBytes: number;
      readonly vramBytes: number;
    }
  | { readonly type: 'foreignUnload'; readonly instanceIdentifier: string }
  /** The GPU's readings vanish (a driver reset), and come back. */
  | { readonly type: 'gpuLost' }
  | { readonly type: 'gpuBack' };

/** What is wrong with a trace: a line (from 1) and a sentence. */
export interface TraceIssue {
  readonly line: number;
  readonly message: string;
}

/** A trace, or everything that is wrong with it. */
export type ParsedTrace =
  | { readonly rows: readonly TraceRow[]; readonly issues: null }
  | { readonly rows: null; readonly issues: readonly TraceIssue[] };

/** Reads a trace in JSON lines. Fields that are left out hold what the row before had. */
export function parseTrace(text: string): ParsedTrace {
  const rows: TraceRow[] = [];
  const issues: TraceIssue[] = [];
  text.split('\n').forEach((source, index) => {
    if (source.trim() === '') return;
    const line = index + 1;
    const complain = (message: string): void => {
      issues.push({ line, message });
    };
    let value: unknown;
    try {
      value = JSON.parse(source);
    } catch (error) {
      complain(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    const row = readRow(value, rows[rows.length - 1] ?? null, complain);
    if (row !== null) rows.push(row);
  });
  if (issues.length === 0 && rows.length < 2) {
    issues.push({ line: 1, message: 'a trace has at least a first and a last row' });
  }
  return issues.length === 0 ? { rows, issues: null } : { rows: null, issues };
}

type Complain = (message: string) => void;
type Fields = Readonly<Record<string, unknown>>;

function readRow(value: unknown, before: TraceRow | null, complain: Complain): TraceRow | null {
  if (!isFields(value)) {
    complain('a row is an object');
    return null;
  }
  const known = new Set([
    'tMs',
    'ram',
    'gpus',
    'cpuOthersRatio',
    'onBattery',
    'requests',
    'events',
    'swapInPerSecond',
    'pressure',
  ]);
  let sound = true;
  const fail: Complain = (message) => {
    sound = false;
    complain(message);
  };
  for (const key of Object.keys(value)) if (!known.has(key)) fail(`unknown field '${key}'`);
  const number = (fields: Fields, key: string, otherwise: number | null, name = key): number => {
    const found = fields[key] ?? otherwise;
    if (typeof found === 'number' && Number.isFinite(found) && found >= 0) return found;
    fail(`'${name}' must be a number that is not negative`);
    return 0;
  };
  const object = (key: string): Fields => {
    const found = value[key] ?? {};
    if (isFields(found)) return found;
    fail(`'${key}' must be an object`);
    return {};
  };
  const ram = object('ram');
  const requests = object('requests');
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
    gpus: (Array.isArray(gpus) ? gpus.filter(isFields) : []).map((gpu) => ({
      totalBytes: number(gpu, 'totalBytes', null, 'gpus.totalBytes'),
      othersBytes: number(gpu, 'othersBytes', null, 'gpus.othersBytes'),
      unified: gpu['unified'] === true,
    })),
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
    events: (Array.isArray(events) ? events : []).flatMap((event) => readEvent(event, fail)),
  };
  if (before !== null && row.tMs < before.tMs) fail(`'tMs' goes back from ${before.tMs}`);
  if (before === null && row.tMs !== 0) fail("the first row's 'tMs' must be 0");
  return sound ? row : null;
}

function readEvent(value: unknown, fail: Complain): TraceEvent[] {
  if (!isFields(value)) {
    fail('an event is an object');
    return [];
  }
  const { type } = value;
  switch (type) {
    case 'lmStudioDown':
    case 'lmStudioUp':
    case 'gpuLost':
    case 'gpuBack':
      return [{ type }];
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
        },
      ];
    case 'foreignUnload':
      return [{ type, instanceIdentifier: textOf(value['instanceIdentifier'], 'foreign') }];
    default:
      fail(`unknown event '${String(type)}'`);
      return [];
  }
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

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
