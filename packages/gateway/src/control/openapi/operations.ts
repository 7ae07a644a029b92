import { z } from 'zod';
import * as changes from '../schemas/changes.js';
import { decisions, decisionsQuery, explanation } from '../schemas/decisions.js';
import { controlEvent } from '../schemas/events.js';
import { fleet } from '../schemas/fleet.js';
import { history, historyQuery } from '../schemas/history.js';
import { models, modelsQuery } from '../schemas/models.js';
import { queue } from '../schemas/queue.js';
import { session, signInRequest } from '../schemas/session.js';
import { textOf } from '../schemas/shared/text.js';
import { status } from '../schemas/status.js';
import { whatIf, whatIfQuery } from '../schemas/what-if.js';
import type { Scope } from '../../access/keys/scope.js';

/** One operation of the control API, as the OpenAPI document describes it. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `{id}` stands for one segment. */
  readonly path: string;
  readonly summary: string;
  /** The scope of a key that may call it; null: no key is needed. */
  readonly scope: Scope | null;
  readonly query: z.ZodObject;
  /** Only requests with the method POST have a body. */
  readonly body: z.ZodObject;
  /** The JSON of an answer with status 200, or of the `data` of each event. */
  readonly answer: z.ZodType;
  readonly streams: boolean;
}

/** The segment of a path that `{id}` stands for. */
export const pathId = textOf(200);

/** Other parameters and fields are ignored. */
const nothing = z.object({});

const read = <Answer extends z.ZodType>(path: string, summary: string, answer: Answer) =>
  ({
    method: 'GET',
    path,
    summary,
    scope: 'read',
    query: nothing,
    body: nothing,
    answer,
    streams: false,
  }) as const;

const change = <Body extends z.ZodObject>(path: string, summary: string, body: Body) =>
  ({
    method: 'POST',
    path,
    summary,
    scope: 'control',
    query: changes.changeQuery,
    body,
    answer: changes.change,
    streams: false,
  }) as const;

/** The operations of the control API by their name. */
export const OPERATIONS = {
  status: read('/api/mai/status', 'The machine, the runtime and the residents now.', status),
  models: {
    ...read('/api/mai/models', 'The models, and the fallback chain as judged now.', models),
    query: modelsQuery,
  },
  whatIf: {
    ...read('/api/mai/what-if', 'Whether a model would fit with other settings.', whatIf),
    query: whatIfQuery,
  },
  decisions: {
    ...read('/api/mai/decisions', 'The decision log, newest first.', decisions),
    query: decisionsQuery,
  },
  decision: read('/api/mai/decisions/{id}', 'One decision in words.', explanation),
  explain: read('/api/mai/explain', 'The last decision in words.', explanation),
  events: {
    ...read(
      '/api/mai/events',
      'Events as they happen (server-sent). `Last-Event-ID` resumes after a broken connection.',
      controlEvent,
    ),
    streams: true,
  },
  history: {
    ...read('/api/mai/history', 'Memory and switches of the last 15 minutes.', history),
    query: historyQuery,
  },
  fleet: read(
    '/api/mai/fleet',
    'The hosts of the fleet, and where the last requests went and why.',
    fleet,
  ),
  queue: read('/api/mai/queue', 'The queue of requests, and the throughput.', queue),
  load: change('/api/mai/load', 'Loads a model by hand, and pins it.', changes.loadRequest),
  unload: change('/api/mai/unload', 'Unloads a model by hand.', changes.unloadRequest),
  pin: change('/api/mai/pin', 'Keeps a model from being unloaded.', changes.pinRequest),
  unpin: change('/api/mai/unpin', 'Removes pins.', changes.unpinRequest),
  yield: change('/api/mai/yield', 'Keeps memory free for others.', changes.yieldRequest),
  endYield: change('/api/mai/yield/end', 'Ends yields.', changes.endYieldRequest),
  session: {
    ...read('/api/mai/session', 'Who the caller is.', session),
    scope: null,
  },
  signIn: {
    method: 'POST',
    path: '/api/mai/session',
    summary: 'Signs the page in with a key.',
    scope: null,
    query: nothing,
    body: signInRequest,
    answer: session,
    streams: false,
  },
  signOut: {
    method: 'DELETE',
    path: '/api/mai/session',
    summary: 'Ends the session of the page.',
    scope: null,
    query: nothing,
    body: nothing,
    answer: session,
    streams: false,
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;
