import { setMaxListeners } from 'node:events';
import type { HostAutopilot } from './autopilot/host-autopilot.js';
import { findConfigPlaces } from './config/config-places.js';
import { loadConfig } from './config/load-config.js';
import type { FileEstimates } from './estimates/file-estimates.js';
import type { Host } from './host.js';
import type { HostOptions } from './host-options.js';
import { contextOf } from './host-options.js';
import type { HostParts } from './host-parts.js';
import { createHostParts } from './create-host-parts.js';
import { endAll } from './promises/end-all.js';
import { once } from './promises/once.js';
import { readStatus } from './machine/read-status.js';
import { readTokenFile } from './runtime/read-token-file.js';
import {
  contextOfCall,
  listDownloadsNow,
  openActiveSession,
  withSession,
} from './session/session.js';

/**
 * Opens Mai on this machine. Each part is opened when a call first needs it.
 *
 * @throws HostError `INVALID_REQUEST` for a token file that cannot be used
 *
 * @example
 * await using host = await openHost();
 * await using lease = await host.acquire({ capabilities: ['chat'], minContextLengthTokens: 8192 });
 */
export async function openHost(options: HostOptions = {}): Promise<Host> {
  const { apiTokenFile, cwd = process.cwd() } = options;
  const token =
    apiTokenFile === undefined ? {} : { apiToken: await readTokenFile(apiTokenFile, cwd) };
  const closing = new AbortController();
  const signal =
    options.signal === undefined
      ? closing.signal
      : AbortSignal.any([options.signal, closing.signal]);
  // Many calls may wait for this signal at a time. Without this line, Node warns of a leak at the eleventh
  // call.
  setMaxListeners(0, signal);
  const parts = createHostParts(contextOf({ ...options, ...token }, signal));
  const { context } = parts;

  // Each call imports the modules that only it needs, so that the start is fast.
  let openedAutopilot: HostAutopilot | null = null;
  const autopilot = once(async () => {
    const { createHostAutopilot } = await import('./autopilot/host-autopilot.js');
    const { sweepDrafts } = await import('./files/sweep-drafts.js');
    void sweepDrafts(context.folders);
    return (openedAutopilot = createHostAutopilot(parts));
  });
  const serving = once(async () => {
    const { createHostServing } = await import('./serving/host-serving.js');
    return createHostServing(parts, await autopilot());
  });
  const digests = once(async () => {
    const { createContentDigests } = await import('./fleet/content-digest.js');
    return createContentDigests();
  });
  const fileEstimates = once(async (): Promise<FileEstimates> => {
    const { createFileEstimates } = await import('./estimates/file-estimates.js');
    const { engineHere } = await import('./engine/chosen-engine.js');
    const engine = once(() => engineHere(parts, context));
    return createFileEstimates(context.cwd, signal, engine);
  });

  const host: Host = {
    status: (call = {}) => withSession(parts, call, readStatus),
    watchStatus: (call = {}) => ({
      async *[Symbol.asyncIterator]() {
        const { watchStatus } = await import('./machine/watch-status.js');
        yield* watchStatus(parts, call);
      },
    }),
    resources: (call = {}) =>
      parts.monitor.port.snapshot({ signal: contextOfCall(context, call.signal).signal }),

    models: async (query = {}, call = {}) => {
      const { listModels } = await import('./model-list/list-models.js');
      return withSession(parts, call, (session) => listModels(session, query));
    },
    compare: async (request = {}, call = {}) => {
      const { compareModels } = await import('./compare/compare-models.js');
      return withSession(parts, call, (session) => compareModels(session, request));
    },
    estimate: async (request, { signal: own } = {}) => {
      const { estimateModel } = await import('./estimates/estimate-model.js');
      return estimateModel(parts, contextOfCall(context, own), request);
    },
    estimateFile: async (file, settings, engine = null) =>
      (await fileEstimates()).estimate(file, settings, engine),
    measure: async (request, call = {}) => {
      const { measureModel } = await import('./learning/measure-model.js');
      const session = await openActiveSession(parts, { ...call, corrected: false });
      return measureModel(session, request);
    },

    select: async (request = {}, call = {}) => {
      const { select } = await import('./selection/select.js');
      return withSession(parts, call, (session) => select(session, request));
    },
    switchModel: async (request = {}, call = {}) => {
      const { switchModel } = await import('./selection/select.js');
      // A dry run also works while LM Studio is off.
      if (call.dryRun === true) {
        return withSession(parts, call, (session) => switchModel(session, request, call));
      }
      return switchModel(await openActiveSession(parts, call), request, call);
    },
    acquire: async (requirement, call) => (await autopilot()).acquire(requirement, call),
    chat: async (modelKey = null) => {
      const { createConversation } = await import('./chat/create-conversation.js');
      return createConversation(host, modelKey);
    },
    serving: {
      catalog: async (call) => (await serving()).catalog(call),
      acquire: async (request, call) => (await serving()).acquire(request, call),
      plan: async (request, call) => (await serving()).plan(request, call),
      measured: async (answer) => (await parts.learner()).answered(answer),
      changes: (call) => ({
        async *[Symbol.asyncIterator]() {
          yield* (await serving()).changes(call);
        },
      }),
    },
    fleetFacts: async (call = {}) => {
      const { readFleetFacts } = await import('./fleet/fleet-facts.js');
      const kept = await digests();
      return withSession(parts, call, (session) => readFleetFacts(session, kept));
    },
    startAutopilot: async (request) => {
      const { runAutopilot } = await import('./autopilot/running-autopilot.js');
      return runAutopilot(await (await autopilot()).open(request));
    },
    keepAutopilot: async (request, options) => {
      const { keepAutopilot } = await import('./autopilot/keep-autopilot.js');
      return keepAutopilot(host, request, { ...options, clock: context.clock });
    },
    autopilotState: async (call) => (await autopilot()).state(call),
    events: async (call) => (await autopilot()).events(call),

    ...byHand(parts, autopilot),

    decisions: async (query = {}, { signal: own } = {}) => {
      const { readDecisions } = await import('./decisions/read-history.js');
      return readDecisions(parts.runtime, contextOfCall(context, own), query);
    },
    replay: async (log = null, { signal: own } = {}) => {
      const { replayLog } = await import('./decisions/replay-log.js');
      return replayLog(log, parts.runtime, contextOfCall(context, own));
    },
    bench: async (request = {}, options = {}) => {
      const { benchModels } = await import('./bench/bench-models.js');
      return benchModels(host, parts, request, options);
    },
    doctor: async ({ signal: own, measure = false } = {}) => {
      const { runChecks } = await import('./doctor/run-checks.js');
      return runChecks(parts, contextOfCall(context, own), measure);
    },
    simulatedModels: async (chain, hardware, { signal: own } = {}) => {
      const { openSimulatedModels } = await import('./simulation/open-simulated-models.js');
      return openSimulatedModels(parts, contextOfCall(context, own), chain, hardware);
    },

    folders: context.folders,
    config: () => loadConfig(context),
    configPlaces: () => findConfigPlaces(context),
    initialConfig: async (call = {}) => {
      const { createInitialConfig } = await import('./catalog/initial-config.js');
      const { valuesHere } = await import('./compare/values-here.js');
      return createInitialConfig(
        await listDownloadsNow(parts, call.signal),
        await valuesHere(parts, call),
      );
    },
    names: async (kind, call = {}) => {
      const { findNames } = await import('./names.js');
      return findNames(parts, kind, call, autopilot);
    },

    [Symbol.asyncDispose]: async () => {
      await endAll([
        () => openedAutopilot?.[Symbol.asyncDispose](),
        () => closing.abort(new DOMException('The host was closed.', 'AbortError')),
        () => parts[Symbol.asyncDispose](),
      ]);
    },
  };
  return host;
}

/** The methods for loads, pins and yields by hand. */
function byHand(
  parts: HostParts,
  autopilot: () => Promise<HostAutopilot>,
): Pick<
  Host,
  'load' | 'estimateLoad' | 'unload' | 'journal' | 'pin' | 'unpin' | 'yieldMemory' | 'endYield'
> {
  const modules = () => import('./by-hand/by-hand.js');
  return {
    load: async (request, call = {}) =>
      (await modules()).load(parts, await autopilot(), request, call),
    estimateLoad: async (request, call = {}) =>
      (await modules()).estimateLoad(parts, request, call),
    unload: async (request, call = {}) =>
      (await modules()).unload(parts, await autopilot(), request, call),
    journal: async (call) => (await autopilot()).journal(call),
    pin: async (target, call = {}) => (await modules()).pin(parts, await autopilot(), target, call),
    unpin: async (request = {}, call = {}) =>
      (await modules()).unpin(parts, await autopilot(), request, call),
    yieldMemory: async (request, call = {}) =>
      (await modules()).yieldMemory(parts, await autopilot(), request, call),
    endYield: async (name = null, call = {}) =>
      (await modules()).endYield(parts, await autopilot(), name, call),
  };
}
