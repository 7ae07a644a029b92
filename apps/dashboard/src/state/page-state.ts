import type {
  Event as ControlEvent,
  Explanation,
  History,
  MemorySample,
  Models,
  Queue,
  Session,
  Status,
  SwitchMark,
} from '../api/api.generated.js';
import { assignSlots, type ColourSlots } from './colour-slots.js';

/** How far back the page shows memory. */
export const WINDOW_MS = 15 * 60_000;

/** Whether the page is in touch with the gateway. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly sinceMs: number }
  | { readonly state: 'sign-in' };

/** A step of a switch that is under way. */
export interface SwitchStep {
  readonly step: string;
  readonly modelKey: string | null;
  readonly progressRatio: number | null;
}

/** Everything that the page shows. */
export interface PageState {
  readonly connection: Connection;
  readonly session: Session | null;
  /** Null before the first answer. */
  readonly status: Status | null;
  readonly models: Models | null;
  readonly queue: Queue | null;
  readonly samples: readonly MemorySample[];
  readonly switches: readonly SwitchMark[];
  /** The last decision in words; null where no decision was logged. */
  readonly explanation: Explanation | null;
  /** Why a part could not be read. */
  readonly faults: Readonly<Partial<Record<Part, string | null>>>;
  readonly slots: ColourSlots;
  /** The model key of each instance that the page has seen, by instance identifier. */
  readonly modelKeys: Readonly<Record<string, string>>;
  readonly step: SwitchStep | null;
  /** Grows with each new decision and each renewed connection, so that the decision log is read again. */
  readonly decisionsSeen: number;
  /** Grows with each change of the fleet and each renewed connection, so that the fleet is read again. */
  readonly fleetSeen: number;
  /** The next announcement of a screen reader; `count` tells two equal texts apart. */
  readonly announcement: { readonly text: string; readonly count: number };
}

export const FIRST_STATE: PageState = {
  connection: { state: 'connecting' },
  session: null,
  status: null,
  models: null,
  queue: null,
  samples: [],
  switches: [],
  explanation: null,
  faults: {},
  slots: {},
  modelKeys: {},
  step: null,
  decisionsSeen: 0,
  fleetSeen: 0,
  announcement: { text: '', count: 0 },
};

/** A part of the state that is read by itself. */
export type Part = 'status' | 'models' | 'queue' | 'history' | 'explanation';

/** Answers of the gateway to show from now on. An absent part stays as it is. */
export interface Answered {
  readonly session?: Session;
  readonly status?: Status;
  readonly models?: Models;
  readonly queue?: Queue;
  readonly history?: History;
  readonly explanation?: Explanation | null;
  /** Why a part could not be read; null for a part that was read. */
  readonly faults?: Readonly<Partial<Record<Part, string | null>>>;
}

export type Action =
  | { readonly type: 'connection'; readonly connection: Connection }
  | { readonly type: 'answered'; readonly answered: Answered }
  | { readonly type: 'event'; readonly event: ControlEvent }
  | { readonly type: 'announce'; readonly text: string };

/** The state after an action. */
export function reducePage(state: PageState, action: Action): PageState {
  switch (action.type) {
    case 'connection':
      return afterConnection(state, action.connection);
    case 'answered':
      return afterAnswers(state, action.answered);
    case 'event':
      return afterEvent(state, action.event);
    case 'announce':
      return announce(state, action.text);
  }
}

function announce(state: PageState, text: string): PageState {
  return { ...state, announcement: { text, count: state.announcement.count + 1 } };
}

function afterConnection(state: PageState, connection: Connection): PageState {
  const before = state.connection;
  if (connection.state === 'lost') {
    // Each failed attempt reports the loss again. The first report is the one that counts.
    if (before.state === 'lost') return state;
    return announce({ ...state, connection, step: null }, 'The connection to the gateway is lost.');
  }
  if (before.state !== 'lost' || connection.state !== 'live') return { ...state, connection };
  return announce(
    {
      ...state,
      connection,
      decisionsSeen: state.decisionsSeen + 1,
      fleetSeen: state.fleetSeen + 1,
    },
    'Connected again.',
  );
}

function afterAnswers(state: PageState, answered: Answered): PageState {
  const { history, faults, ...rest } = answered;
  const next: PageState = {
    ...state,
    ...rest,
    faults: { ...state.faults, ...faults },
    ...(history === undefined ? {} : joinHistory(state, history)),
  };
  return withSlots(withModelKeys(withFirstSample(next)));
}

/**
 * The history of the gateway, and for the time before it the samples and switches that the page has kept. They matter after a
 * restart of the gateway, which has then no history.
 */
function joinHistory(
  { samples, switches }: PageState,
  history: History,
): Pick<PageState, 'samples' | 'switches'> {
  const known = new Set(history.switches.map(({ atMs }) => atMs));
  const from = history.samples[0]?.atMs ?? Number.POSITIVE_INFINITY;
  return {
    samples: [...samples.filter(({ atMs }) => atMs < from), ...history.samples],
    switches: [
      ...switches.filter(({ atMs }) => !known.has(atMs) && atMs < from),
      ...history.switches,
    ],
  };
}

/** A gateway that has just started has no sample yet. The status has the same figures. */
function withFirstSample(state: PageState): PageState {
  const { status, samples } = state;
  if (status === null || samples.length > 0) return state;
  const { atMs, pools } = status;
  const figures = pools.map(({ pool, othersBytes, yieldedBytes, residents, freeBytes }) => ({
    pool,
    othersBytes,
    yieldedBytes,
    residents,
    freeBytes,
  }));
  return { ...state, samples: [{ atMs, pools: figures }] };
}

function withModelKeys(state: PageState): PageState {
  const residents = state.status?.residents ?? [];
  if (residents.every((one) => state.modelKeys[one.instanceIdentifier] === one.modelKey)) {
    return state;
  }
  const seen = residents.map((one) => [one.instanceIdentifier, one.modelKey] as const);
  return { ...state, modelKeys: { ...state.modelKeys, ...Object.fromEntries(seen) } };
}

function withSlots(state: PageState): PageState {
  const largest = new Map<string, number>();
  for (const { pools } of state.samples) {
    for (const { residents } of pools) {
      for (const { instanceIdentifier, bytes } of residents) {
        const before = largest.get(instanceIdentifier) ?? 0;
        largest.set(instanceIdentifier, Math.max(before, bytes));
      }
    }
  }
  for (const { instanceIdentifier } of state.status?.residents ?? []) {
    if (!largest.has(instanceIdentifier)) largest.set(instanceIdentifier, 0);
  }
  // The largest model comes first, because the first colour is the accent colour of the page.
  const shown = [...largest].sort(([, a], [, b]) => b - a).map(([identifier]) => identifier);
  return { ...state, slots: assignSlots(state.slots, shown) };
}

function afterEvent(state: PageState, event: ControlEvent): PageState {
  switch (event.type) {
    case 'sample':
      return withSlots({ ...state, samples: withSample(state.samples, event.sample) });
    case 'decided':
      return { ...state, decisionsSeen: state.decisionsSeen + 1 };
    case 'switch-started':
      return { ...state, step: { step: 'started', modelKey: null, progressRatio: null } };
    case 'switch-step':
      return { ...state, step: event };
    case 'switch-finished':
      return announce(
        {
          ...state,
          step: null,
          decisionsSeen: state.decisionsSeen + 1,
          switches: [...state.switches, event.mark],
        },
        event.mark.text,
      );
    case 'journal':
      return state.status === null
        ? state
        : { ...state, status: { ...state.status, pins: event.pins, yields: event.yields } };
    case 'queue': {
      const { loading, waiting } = event;
      return state.queue === null
        ? state
        : { ...state, queue: { ...state.queue, loading, waiting } };
    }
    case 'fleet':
      return { ...state, fleetSeen: state.fleetSeen + 1 };
    case 'notice':
      return announce(state, event.text);
    case 'reset':
      return state;
  }
}

/** Adds a sample. Drops samples that are older than the window, and those that are not older than the new one. */
function withSample(
  samples: readonly MemorySample[],
  sample: MemorySample,
): readonly MemorySample[] {
  const kept = samples.filter(({ atMs }) => atMs < sample.atMs && atMs >= sample.atMs - WINDOW_MS);
  return [...kept, sample];
}
