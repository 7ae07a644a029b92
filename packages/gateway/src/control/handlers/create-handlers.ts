import { bindOperation, type BoundOperation } from '../answer-call.js';
import { OPERATIONS } from '../openapi/operations.js';
import * as journal from './change-journal.js';
import { load, planLoad, unload } from './change-models.js';
import type { AnswerOf, HandlerParts, JsonOperationName } from './handlers.js';
import { explainDecision, listDecisions } from './read-decisions.js';
import { readFleet } from './read-fleet.js';
import { readModels } from './read-models.js';
import { readStatus } from './read-status.js';
import { whatIf } from './what-if.js';

/** The operations with their functions, by name. */
export function createHandlers(
  parts: HandlerParts,
): Readonly<Record<JsonOperationName, BoundOperation>> {
  return {
    status: bindOperation(OPERATIONS.status, () => readStatus(parts)),
    models: bindOperation(OPERATIONS.models, ({ query }) => readModels(parts, query.chain)),
    whatIf: bindOperation(OPERATIONS.whatIf, ({ query, signal }) => whatIf(parts, query, signal)),
    decisions: bindOperation(OPERATIONS.decisions, ({ query, signal }) =>
      listDecisions(parts, query, signal),
    ),
    decision: bindOperation(OPERATIONS.decision, ({ id, signal }) =>
      explainDecision(parts, id, signal),
    ),
    explain: bindOperation(OPERATIONS.explain, ({ signal }) =>
      explainDecision(parts, null, signal),
    ),
    history: bindOperation(OPERATIONS.history, ({ query }) =>
      readHistory(parts, query.sinceMs ?? Number.NEGATIVE_INFINITY),
    ),
    fleet: bindOperation(OPERATIONS.fleet, () => readFleet(parts)),
    queue: bindOperation(OPERATIONS.queue, () => readQueue(parts)),
    load: bindOperation(OPERATIONS.load, ({ query, body: { dryRun, ...request }, signal }) =>
      isDry(query, dryRun) ? planLoad(parts, request, signal) : load(parts, request, signal),
    ),
    unload: bindOperation(OPERATIONS.unload, ({ query, body, signal }) =>
      unload(parts, { ...body, dryRun: isDry(query, body.dryRun) }, signal),
    ),
    pin: bindOperation(OPERATIONS.pin, ({ query, body, signal }) =>
      journal.pin(parts, { ...body, dryRun: isDry(query, body.dryRun) }, signal),
    ),
    unpin: bindOperation(OPERATIONS.unpin, ({ query, body, signal }) =>
      journal.unpin(parts, { ...body, dryRun: isDry(query, body.dryRun) }, signal),
    ),
    yield: bindOperation(OPERATIONS.yield, ({ query, body, signal }) =>
      journal.yieldMemory(parts, { ...body, dryRun: isDry(query, body.dryRun) }, signal),
    ),
    endYield: bindOperation(OPERATIONS.endYield, ({ query, body, signal }) =>
      journal.endYield(parts, { ...body, dryRun: isDry(query, body.dryRun) }, signal),
    ),
  };
}

function isDry({ dryRun }: { readonly dryRun?: '0' | '1' | undefined }, inBody: boolean): boolean {
  return inBody || dryRun === '1';
}

function readHistory(parts: HandlerParts, sinceMs: number): AnswerOf<'history'> {
  const { watch, words } = parts;
  const { last } = watch;
  return {
    pools:
      last === null
        ? []
        : last.pools.map(({ pool, totalBytes, limitBytes, hardLimitBytes }) => ({
            pool,
            label: words.poolLabel(pool, last.resources),
            totalBytes,
            limitBytes,
            hardLimitBytes,
          })),
    samples: watch.samples().filter(({ atMs }) => atMs > sinceMs),
    switches: parts.switches().filter(({ atMs }) => atMs > sinceMs),
  };
}

function readQueue({ scheduler, throughput }: HandlerParts): AnswerOf<'queue'> {
  const { lanes, waiting, oldestWaitMs, loading } = scheduler.state();
  return {
    lanes: lanes.map(({ modelKey, instanceIdentifier, running, draining }) => ({
      modelKey,
      instanceIdentifier,
      running,
      draining,
    })),
    waiting,
    oldestWaitMs,
    loading:
      loading === null
        ? null
        : { modelKey: loading.modelKey, progressRatio: loading.progressRatio },
    lastMinute: throughput.lastMinute(),
  };
}
