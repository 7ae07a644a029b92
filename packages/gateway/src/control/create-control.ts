import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../access/create-access.js';
import { API_HEADERS } from '../access/page-headers.js';
import type { Clock } from '../ports/clock.js';
import type { ControlPort, ControlWords } from '../ports/control-port.js';
import type { FleetPort } from '../ports/fleet-port.js';
import type { Failure } from '../protocols/protocol.js';
import { stopping } from '../queue/failures/scheduling-failures.js';
import type { Scheduler } from '../queue/scheduler.js';
import { sendJson } from '../server/responders.js';
import type { ServedRequest } from '../server/inference/served-request.js';
import { departed } from '../upstream/departed.js';
import { createCallMemory, findOperation, parseBody, type FoundOperation } from './answer-call.js';
import { ControlFailure, failureFor } from './control-failure.js';
import { createEventLog } from './events/event-log.js';
import { createEventStreams } from './events/event-stream.js';
import { publishEvents } from './events/publish-events.js';
import { createHandlers } from './handlers/create-handlers.js';
import { createReadings } from './handlers/readings.js';
import { createThroughput } from './handlers/throughput.js';
import { openApiDocument } from './openapi/document.js';
import { signInRequest } from './schemas/session.js';
import { watchMachine, type MachineWatch } from './watch/machine-watch.js';

/** The routes under `/api/mai/`. */
export interface Control extends AsyncDisposable {
  /** The machine as the gateway follows it, for metrics. */
  readonly watch: MachineWatch;
  /** Checks access and answers a request whose path begins with `/api/mai/`. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Counts a request for the throughput. */
  served(request: ServedRequest): void;
  /** Ends the calls that run, such as a load. Their clients get an error. */
  endAll(): void;
}

/** The parts that the routes use. */
export interface ControlParts {
  readonly machine: ControlPort;
  readonly words: ControlWords;
  readonly fleet: FleetPort | null;
  readonly access: Access;
  readonly scheduler: Pick<Scheduler, 'state'>;
  readonly clock: Clock;
  /** Receives unexpected errors. They never contain prompts. */
  readonly onFault: (error: unknown) => void;
}

const DOCUMENT_PATH = '/api/mai/openapi.json';

/** Creates the routes, and starts to follow the machine. */
export function createControl(parts: ControlParts): Control {
  const { machine, words, fleet, access, scheduler, clock, onFault } = parts;
  const readings = createReadings(machine, clock);
  const watch = watchMachine(machine, clock, () => readings.status());
  const throughput = createThroughput(clock);
  const log = createEventLog(() => clock.nowMs());
  const streams = createEventStreams(log, clock);
  const published = publishEvents({ watch, readings, scheduler, fleet, clock, log });
  const handlers = createHandlers({
    machine,
    words,
    fleet,
    clock,
    watch,
    readings,
    scheduler,
    throughput,
    startedAtMs: clock.nowMs(),
    switches: () => published.switches(),
  });
  const bodies = createCallMemory();
  const running = new Set<AbortController>();
  const documentText = JSON.stringify(openApiDocument());

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> => {
    const [path = '', search = ''] = splitTarget(request.url ?? '');
    if (path === DOCUMENT_PATH && request.method === 'GET') {
      const headers = await admit(request, response, null);
      response.writeHead(200, { ...headers, 'content-type': 'application/json; charset=utf-8' });
      response.end(documentText);
      return;
    }
    const found = findOperation(request.method ?? 'GET', path);
    const headers = await admit(request, response, found.operation.scope);
    if (found.name === 'events') {
      if (request.method === 'HEAD') {
        response.writeHead(200, headers).end();
        return;
      }
      const isAllowed = () => isAdmitted(request, found.operation.scope);
      if (streams.open(request, response, headers, isAllowed)) return;
      throw new ControlFailure(
        503,
        'TOO_MANY_STREAMS',
        'Too many pages listen for events. Close some, then try again.',
        { 'retry-after': '10' },
      );
    }
    if (found.name === 'session' || found.name === 'signIn' || found.name === 'signOut') {
      await answerSession(found.name, request, response, headers);
      return;
    }
    const { id } = found;
    const body = await handlers[found.name]({ request, bodies, search, id, signal });
    sendJson(response, 200, body, headers);
  };
  /** Whether a request that was admitted is still allowed. Never rejects. */
  const isAdmitted = async (
    request: IncomingMessage,
    scope: FoundOperation['operation']['scope'],
  ): Promise<boolean> => {
    try {
      return (await access.check(request, scope)).kind === 'admitted';
    } catch (error) {
      onFault(error);
      return false;
    }
  };
  /** Checks access, and returns the headers of the answer. @throws ControlFailure where the request is refused */
  const admit = async (
    request: IncomingMessage,
    response: ServerResponse,
    scope: FoundOperation['operation']['scope'],
  ): Promise<Readonly<Record<string, string>>> => {
    const admission = await access.check(request, scope);
    const { headers } = admission;
    // Set at once, so that a page of an allowed origin can read a failure, too.
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (admission.kind === 'refused') throw refusal(admission.failure);
    return { ...API_HEADERS, ...headers };
  };
  const answerSession = async (
    name: 'session' | 'signIn' | 'signOut',
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const answered =
      name === 'signIn'
        ? await access.signIn(request, (await parseBody(signInRequest, request, bodies)).key)
        : name === 'session'
          ? await access.session(request)
          : await access.signOut(request);
    if (answered.kind === 'refused') throw refusal(answered.failure);
    sendJson(response, 200, answered.session, { ...headers, ...answered.headers });
  };
  return {
    watch,
    served: (request) => throughput.served(request),
    handle: async (request, response) => {
      const ended = new AbortController();
      response.once('close', () => {
        if (!response.writableFinished) ended.abort(departed());
      });
      running.add(ended);
      try {
        const preflight = access.preflight(request);
        if (preflight === null) await answer(request, response, ended.signal);
        else response.writeHead(preflight.status, preflight.headers).end();
      } catch (error) {
        // Aborts of `endAll` leave the client here.
        if (response.closed) return;
        const { status, code, message, headers } = failureFor(
          ended.signal.aborted ? ended.signal.reason : error,
        );
        if (status === 500) onFault(error);
        if (response.headersSent) response.destroy();
        else
          sendJson(response, status, { error: { code, message } }, { ...API_HEADERS, ...headers });
      } finally {
        running.delete(ended);
      }
    },
    endAll: () => {
      for (const one of running) one.abort(refusal(stopping().failure));
    },
    [Symbol.asyncDispose]: async () => {
      published.stop();
      streams.close();
      await watch[Symbol.asyncDispose]();
    },
  };
}

function splitTarget(target: string): readonly string[] {
  const at = target.indexOf('?');
  return at === -1 ? [target] : [target.slice(0, at), target.slice(at + 1)];
}

function refusal({ status, code, message, retryAfterSeconds }: Failure): ControlFailure {
  return new ControlFailure(status, code.toUpperCase(), message, {
    ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="mai"' } : {}),
  });
}
