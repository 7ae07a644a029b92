import type { JsonObject } from '../../json.js';
import type { Resolution } from '../../models/resolve-model.js';
import { pause } from '../../ports/clock.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ANY_MODEL, type ServingCatalog, type ServingRequest } from '../../ports/serving-port.js';
import type { Failure, Protocol, RequestFacts } from '../../protocols/protocol.js';
import { prefixKeyOf } from '../../protocols/prefix-key.js';
import { SchedulingFailure } from '../../queue/scheduler.js';
import { ClientAnswer } from './client-answer.js';
import { Departure } from './departure.js';
import { decisionHeaders, nothingReported } from './decision-headers.js';
import { parseBody, readBody } from '../request/read-body.js';
import { INTERNAL_FAILURE, RequestRefusal } from '../request/request-refusal.js';
import type { Client, InferenceParts } from './inference-parts.js';
import { serveWithFallbacks, type Served } from './serve-with-fallbacks.js';
import { createFailure } from '../../protocols/create-failure.js';

/** How often, and at which interval in milliseconds, the residents are read again before one counts as gone. */
const OBSERVATIONS = 10;
const OBSERVATION_MS = 200;

/** Where a request arrived. */
export interface InferenceRoute {
  readonly protocol: Protocol;
  /** Path and query for the runtime. */
  readonly path: string;
  readonly client: Client;
}

/**
 * Serves one inference request.
 *
 * 1. Read the body and what it needs.
 * 2. Resolve the model's name to a request to the machine.
 * 3. Wait for a place on a resident. After two seconds, a client that asked for a stream gets its position in the queue.
 * 4. Send the body, in which only the model's name changes, and pass the answer on from its first event.
 * 5. Where the runtime fails before the first event, go on at 3 with another resident, a bounded number of times. A
 *    failure after the first event is sent as the protocol's error event.
 *
 * A client that has gone ends every step at once, and the runtime's request with it. So does a gateway that stops, and then the client
 * gets a failure.
 *
 * @throws errors that are bugs; the client has been answered then, too
 */
export async function serveInference(
  request: IncomingMessage,
  response: ServerResponse,
  { protocol, path, client }: InferenceRoute,
  parts: InferenceParts,
): Promise<void> {
  const { clock, limits } = parts;
  const share = parts.bodies.begin(client.name);
  const startedMs = clock.monotonicMs();
  const departure = new Departure(response);
  parts.running.add(departure);
  const reported = nothingReported();
  const answer = new ClientAnswer(response, protocol, () => decisionHeaders(reported), {
    clock,
    stallMs: limits.stallMs,
  });
  let facts: RequestFacts | null = null;
  let served: Served | null = null;
  let failure: Failure | null = null;
  try {
    const body = await readBody(request, limits.maxBodyBytes, share);
    let fields: JsonObject | null = parseBody(body);
    facts = protocol.read(fields);
    const catalog = parts.knownCatalog() ?? (await parts.catalog(departure.signal));
    reported.decisionId = catalog.decisionId;
    const { onlyResident } = client;
    const resolved: Wanted =
      onlyResident === undefined
        ? wantedBy(fields, facts, catalog, parts)
        : { wanted: onlyAt(onlyResident, facts), alternatives: [], longest: null };
    // The request may run for minutes, and the parsed body is several times as large as its bytes.
    fields = null;
    const { wanted, alternatives, longest } =
      facts.previousResponseId === null || onlyResident !== undefined
        ? resolved
        : await continued(resolved, facts.previousResponseId, catalog, departure, parts);
    const { headers } = request;
    const asked = {
      headers,
      path,
      body,
      facts,
      catalog,
      wanted,
      alternatives,
      longest,
      client,
      protocol,
    };
    served = await serveWithFallbacks(asked, { answer, reported, departure }, parts);
    failure = served.failure;
  } catch (error) {
    if (!departure.isGone) {
      failure = failureOf(error);
      if (error instanceof SchedulingFailure)
        reported.decisionId = error.decisionId ?? reported.decisionId;
      // A body that cannot be read fails before the models are looked at.
      reported.decisionId ??= parts.knownCatalog()?.decisionId ?? null;
      answer.fail(failure);
      if (failure.code === 'internal') throw error;
    }
  } finally {
    parts.running.delete(departure);
    share.end();
    parts.served({
      // Field by field: a spread costs a tenth of a small request's CPU time here.
      modelKey: reported.modelKey,
      instanceIdentifier: reported.instanceIdentifier,
      decisionId: reported.decisionId,
      queueMs: reported.queueMs,
      fallbacks: reported.fallbacks,
      protocol: protocol.name,
      facts,
      status: answer.status,
      failure,
      gone: departure.isGone,
      tookMs: clock.monotonicMs() - startedMs,
      firstByteMs: served?.firstByteMs ?? null,
      usage: served?.usage ?? null,
      responseId: served?.responseId ?? null,
    });
  }
}

type Wanted = Omit<Extract<Resolution, { kind: 'resolved' }>, 'kind'>;

/** The request to the machine, and those that are tried where nothing fits. */
function wantedBy(
  fields: JsonObject,
  facts: RequestFacts,
  catalog: ServingCatalog,
  parts: InferenceParts,
): Wanted {
  const resolution = parts.resolve(facts, catalog);
  if (resolution.kind === 'failed') throw new SchedulingFailure(resolution.failure);
  if (catalog.hosts === null) return resolution;
  const { wanted, alternatives } = resolution;
  return {
    ...resolution,
    wanted: placedInFleet(wanted, fields, facts, parts),
    alternatives: alternatives.map((one) => placedInFleet(one, fields, facts, parts)),
  };
}

/** The facts by which a fleet places a request. */
function placedInFleet(
  wanted: ServingRequest,
  fields: JsonObject,
  facts: RequestFacts,
  parts: InferenceParts,
): ServingRequest {
  // Field by field: with a spread, each request would get a hidden class of its own (`chatFacts`).
  return {
    capabilities: wanted.capabilities,
    minContextLengthTokens: wanted.minContextLengthTokens,
    preferredContextLengthTokens: wanted.preferredContextLengthTokens,
    tiers: wanted.tiers,
    chain: wanted.chain,
    modelKey: wanted.modelKey,
    instanceIdentifier: wanted.instanceIdentifier,
    failed: wanted.failed,
    promptTokens: parts.promptTokens(facts, null),
    prefixKey: prefixKeyOf(fields),
  };
}

/** The request of a client that one resident serves. */
function onlyAt(instanceIdentifier: string, { model }: RequestFacts): ServingRequest {
  if (model === instanceIdentifier) return { ...ANY_MODEL, instanceIdentifier };
  throw new SchedulingFailure(
    createFailure(
      'forbidden',
      403,
      `The lease of this request is for ${instanceIdentifier}, and for no other model. Ask for a lease on the model that the request names.`,
    ),
  );
}

/** A request that continues a response goes to the resident that gave the response, with each of its alternatives. */
async function continued(
  resolved: Wanted,
  previousResponseId: string,
  catalog: ServingCatalog,
  departure: Departure,
  parts: InferenceParts,
): Promise<Wanted> {
  const instanceIdentifier = parts.residentOfResponse(previousResponseId);
  // A response from before the gateway's start: the runtime knows whether it still has it.
  if (instanceIdentifier === null) return resolved;
  const hasResident = ({ models }: ServingCatalog): boolean =>
    models.some(({ residents }) =>
      residents.some((one) => one.instanceIdentifier === instanceIdentifier),
    );
  // The catalog may be older than the load of this resident, because residents are observed at intervals.
  let isThere = hasResident(catalog);
  for (let attempt = 0; attempt < OBSERVATIONS && !isThere; attempt += 1) {
    await pause(parts.clock, OBSERVATION_MS, departure.signal);
    isThere = hasResident(await parts.catalog(departure.signal));
  }
  if (!isThere) {
    throw new SchedulingFailure(
      createFailure(
        'previous_response_not_found',
        400,
        `Previous response with id '${previousResponseId}' not found.`,
      ),
    );
  }
  const atResident = (wanted: ServingRequest): ServingRequest => ({
    ...wanted,
    modelKey: null,
    chain: null,
    instanceIdentifier,
  });
  return {
    wanted: atResident(resolved.wanted),
    alternatives: resolved.alternatives.map(atResident),
    longest: resolved.longest,
  };
}

function failureOf(error: unknown): Failure {
  const isExpected = error instanceof RequestRefusal || error instanceof SchedulingFailure;
  return isExpected ? error.failure : INTERNAL_FAILURE;
}
