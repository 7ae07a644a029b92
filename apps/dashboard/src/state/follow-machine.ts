import type { Event as ControlEvent } from '../api/api.generated.js';
import { ApiError, type Api } from '../api/client.js';
import type { Action, Answered, Part } from './page-state.js';

/** Waits between attempts to reach a gateway that does not answer. The last is repeated. */
const RETRY_MS = [500, 1000, 2000, 4000] as const;
/** Events often come in groups, so that one read answers for all of them. */
const GATHER_MS = 250;
/** The status has figures without an event, such as which resident is busy. */
const STATUS_MS = 10_000;
const SLOW_MS = 30_000;

const ALL: readonly Part[] = ['status', 'models', 'queue', 'history', 'explanation'];

/** Which answers an event makes old. */
const STALE_AFTER: Readonly<Record<ControlEvent['type'], readonly Part[]>> = {
  reset: ALL,
  sample: [],
  decided: ['status', 'models', 'explanation'],
  'switch-started': ['status'],
  'switch-step': [],
  'switch-finished': ALL,
  journal: ['status', 'models'],
  queue: ['queue'],
  // The page of the fleet reads the fleet itself while it is open.
  fleet: [],
  notice: ['status'],
};

/**
 * Keeps the state in step with the gateway until the signal fires: reads everything, then follows the events. After
 * a lost connection, connects again and reads everything again. Ends where the gateway asks for a key; call it again
 * after the sign-in.
 */
export async function followMachine(
  api: Api,
  dispatch: (action: Action) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const session = await api.read('session', {}, signal);
      dispatch({ type: 'answered', answered: { session } });
      if (session.required && !session.signedIn) throw new ApiError(401, 'KEY_REQUIRED', '');
      await followEvents(api, dispatch, signal, () => (attempt = 0));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        dispatch({ type: 'connection', connection: { state: 'sign-in' } });
        return;
      }
    }
    if (signal.aborted) return;
    dispatch({ type: 'connection', connection: { state: 'lost', sinceMs: Date.now() } });
    await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 4000, signal);
  }
}

/** Resolves when the event stream breaks. Rejects where a read is refused. */
async function followEvents(
  api: Api,
  dispatch: (action: Action) => void,
  signal: AbortSignal,
  onLive: () => void,
): Promise<void> {
  const events = new EventSource(api.eventsUrl);
  const ended = new AbortController();
  const end = () => ended.abort();
  signal.addEventListener('abort', end, { once: true });
  // The browser would connect again by itself, but the state must be read again, too.
  events.addEventListener('error', end);
  const refresher = openRefresher(api, dispatch, ended);
  for (const type of Object.keys(STALE_AFTER)) {
    events.addEventListener(type, ({ data }: MessageEvent<string>) => {
      // The shape is the OpenAPI document's.
      const event = JSON.parse(data) as ControlEvent;
      dispatch({ type: 'event', event });
      refresher.refresh(STALE_AFTER[event.type]);
    });
  }
  const timers = [
    setInterval(() => document.hidden || refresher.refresh(['status', 'queue']), STATUS_MS),
    setInterval(() => document.hidden || refresher.refresh(['models']), SLOW_MS),
  ];
  try {
    await opened(events, ended.signal);
    dispatch({ type: 'answered', answered: await read(api, ALL, ended.signal) });
    dispatch({ type: 'connection', connection: { state: 'live' } });
    onLive();
    await refresher.ended;
  } finally {
    timers.forEach(clearInterval);
    signal.removeEventListener('abort', end);
    ended.abort();
    events.close();
  }
}

/** Reads answers that events have made old. */
interface Refresher {
  refresh(parts: readonly Part[]): void;
  /** Resolves when the connection has ended. Rejects where a read is refused or fails. */
  readonly ended: Promise<void>;
}

function openRefresher(
  api: Api,
  dispatch: (action: Action) => void,
  connection: AbortController,
): Refresher {
  const stale = new Set<Part>();
  let gathering: ReturnType<typeof setTimeout> | null = null;
  let fail: (error: unknown) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject;
    connection.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // A read may fail before anybody waits for the end.
  ended.catch(() => undefined);
  const readStale = async (): Promise<void> => {
    gathering = null;
    const wanted = [...stale];
    stale.clear();
    try {
      dispatch({ type: 'answered', answered: await read(api, wanted, connection.signal) });
    } catch (error) {
      fail(error);
      connection.abort();
    }
  };
  connection.signal.addEventListener('abort', () => {
    if (gathering !== null) clearTimeout(gathering);
  });
  return {
    ended,
    refresh(parts) {
      for (const part of parts) stale.add(part);
      if (connection.signal.aborted || gathering !== null || stale.size === 0) return;
      gathering = setTimeout(() => void readStale(), GATHER_MS);
    },
  };
}

function opened(events: EventSource, ended: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    events.addEventListener('open', () => resolve(), { once: true });
    ended.addEventListener('abort', () => reject(new TypeError('The event stream broke.')), {
      once: true,
    });
  });
}

/** Reads parts of the state. A part that the gateway cannot answer is reported as a fault and ends nothing. */
async function read(api: Api, parts: readonly Part[], signal: AbortSignal): Promise<Answered> {
  const faults: Partial<Record<Part, string | null>> = {};
  const ask = async <Name extends Exclude<Part, 'explanation'> | 'explain'>(
    part: Part,
    name: Name,
  ) => {
    if (!parts.includes(part)) return undefined;
    faults[part] = null;
    try {
      return await api.read(name, {}, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401 || error.status === 403) throw error;
      // A new machine has no decision yet.
      if (name === 'explain' && error.status === 404) return null;
      faults[part] = error.message;
      return undefined;
    }
  };
  const [status, models, queue, history, explanation] = await Promise.all([
    ask('status', 'status'),
    ask('models', 'models'),
    ask('queue', 'queue'),
    ask('history', 'history'),
    ask('explanation', 'explain'),
  ]);
  return {
    faults,
    ...(status && { status }),
    ...(models && { models }),
    ...(queue && { queue }),
    ...(history && { history }),
    ...(explanation === undefined ? {} : { explanation }),
  };
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
