import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from './access/create-access.js';
import type { Scope } from './access/keys/scope.js';
import { API_HEADERS } from './access/page-headers.js';
import { runOnLease, type PeerRules } from './access/peer-access.js';
import type { Control } from './control/create-control.js';
import type { Metrics } from './metrics/create-metrics.js';
import type { Page } from './page/create-page.js';
import type { FleetPort } from './ports/fleet-port.js';
import type { LivePort } from './ports/live-port.js';
import { lastDecisionHeader } from './server/inference/decision-headers.js';
import type { InferenceService } from './server/inference-service.js';
import {
  answerNotServed,
  endpointMeant,
  protocolOfClient,
} from './server/own-answers/answer-not-served.js';
import { answerReady } from './answer-ready.js';
import { parseTarget, type RequestTarget } from './server/request/request-target.js';
import { INTERNAL_FAILURE } from './server/request/request-refusal.js';
import { sendFailure, sendJson, setHeaders } from './server/responders.js';

/** The parts of a gateway that answer requests, each with paths of its own. */
export interface AnswerParts {
  readonly access: Pick<Access, 'check' | 'preflight'>;
  /** Null where the gateway is for clients. */
  readonly peers: PeerRules | null;
  readonly control: Control | null;
  readonly inference: InferenceService;
  readonly metrics: Metrics;
  readonly page: Page;
  readonly port: LivePort;
  readonly fleet: FleetPort | null;
  readonly isStopping: () => boolean;
  /** Called with each bug that ended a request. */
  readonly onError: (error: unknown) => void;
}

/**
 * Paths whose answer shows that the gateway runs. Programs for llama.cpp, vLLM and LiteLLM ask for the second one, and Claude Code
 * asks for the third one before its first request.
 */
const HEALTH: readonly string[] = ['/healthz', '/health', '/api/hello'];

/** Checks a request, and hands it to the part that its path belongs to. A bug is answered in the form of the client's protocol. */
export function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  parts: AnswerParts,
): void {
  routeRequest(request, response, parts).catch((error: unknown) => {
    parts.onError(error);
    if (!response.headersSent) {
      const protocol = protocolOfClient(pathOf(request), request.headers);
      sendFailure(response, protocol, INTERNAL_FAILURE, lastDecisionHeader(parts.port.known()));
    } else if (!response.writableEnded) response.destroy();
  });
}

async function routeRequest(
  request: IncomingMessage,
  response: ServerResponse,
  parts: AnswerParts,
): Promise<void> {
  const { access, peers, control } = parts;
  if (parts.isStopping()) response.setHeader('connection', 'close');
  const target = parseTarget(request.url);
  if (control !== null && target?.path.startsWith('/api/mai/') === true) {
    await control.handle(request, response);
    return;
  }
  const preflight = access.preflight(request);
  if (preflight !== null) {
    response.writeHead(preflight.status, preflight.headers).end();
    return;
  }
  const protocol = protocolOfClient(target?.path ?? '', request.headers);
  const checked = access.check(request, scopeOf(target));
  // Without a file to read, a request goes on at once.
  const admission = checked instanceof Promise ? await checked : checked;
  if (admission.kind === 'refused') {
    const decision = target !== null && isInference(target) ? lastDecisionHeader(null) : {};
    sendFailure(response, protocol, admission.failure, { ...admission.headers, ...decision });
    return;
  }
  setHeaders(response, admission.headers);
  if (peers !== null) runOnLease(request, response, peers);
  if (target !== null && isInference(target)) {
    await parts.inference.serve(request, response, target, admission.client);
  } else if (target !== null && HEALTH.includes(target.path)) {
    sendJson(response, 200, { status: 'ok' }, API_HEADERS);
  } else if (target?.path === '/readyz') await answerReady(response, parts);
  else if (target?.path === '/metrics') await parts.metrics.handle(request, response);
  else if (isForPrograms(request)) answerNotServed(request, response, pathOf(request));
  else parts.page.handle(request, response);
}

/** The scope that a request needs; null for what everybody may see. */
function scopeOf(target: RequestTarget | null): Scope | null {
  if (target === null) return null;
  if (target.path === '/metrics') return 'read';
  return isInference(target) ? 'inference' : null;
}

/** Whether a request without an endpoint comes from a program, which reads an error of its protocol, and not from a browser. */
function isForPrograms(request: IncomingMessage): boolean {
  // The page has files only, which a browser gets.
  if (request.method !== 'GET' && request.method !== 'HEAD') return true;
  const path = pathOf(request);
  return path.startsWith('/api/') || endpointMeant(path) !== null;
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function isInference({ path }: RequestTarget): boolean {
  return path.startsWith('/v1/') || path.startsWith('/api/v0/');
}
