import { type LoadConfig, statedCapabilities } from '@mai/memory-ledger';
import { LlamaRuntimeError } from './errors.js';
import { findModel, instanceNotFound, requireModel } from './models/find-model.js';
import { listModels } from './models/list-models.js';
import type { LocalModel, ModelListing } from './models/model-types.js';
import { baseUrlOf, headersOf } from './process/engine-http.js';
import { findBinding, llamaCppBuild } from './machine/find-binding.js';
import { findScripts } from './process/find-scripts.js';
import { Inspector } from './machine/inspect.js';
import type { EngineRecord } from './residents/registry.js';
import { availableCores } from './machine/available-cores.js';
import { reportOf } from './residents/buffer-lines.js';
import { Engines } from './residents/engines.js';
import { generate, warmUp } from './requests/generate.js';
import { loadFirst } from './load/load-first.js';
import { loadOnce } from './load/load-once.js';
import { LoadQueue } from './load/load-queue.js';
import type {
  EstimateOptions,
  LoadRequest,
  LoadResult,
  ResourceEstimate,
} from './load/load-types.js';
import type { CallOptions } from './within.js';
import { engineOf, hostFacts, isGpu, surveyOf } from './machine/survey.js';
import type { ResidentInstance } from './residents/resident-types.js';
import { resolveLoadConfig } from './load/resolve-spec.js';
import type { LlamaRuntime, LlamaRuntimeOptions, ModelDetails } from './runtime-types.js';
import { within } from './within.js';
import { vectorInstructionsOf } from './machine/build-facts.js';

/** llama.cpp's micro-batch size. A prompt of this length uses all compute buffers. */
const WARM_UP_TOKENS = 512;
const HEALTH_INTERVAL_MS = 5000;

/**
 * Creates a runtime that loads GGUF models with llama.cpp. It starts no process before a method needs one.
 *
 * @throws LlamaRuntimeError `ENGINE_MISSING` where the npm package with llama.cpp is not installed.
 */
export async function createLlamaRuntime(options: LlamaRuntimeOptions = {}): Promise<LlamaRuntime> {
  const { modelFolders = [], models = null, stateFolder = null, estimate: ask } = options;
  const binding = await findBinding(options.engine !== 'cpu', import.meta.url);
  const scripts = options.scripts ?? findScripts();
  const cores = await availableCores();
  options.signal?.throwIfAborted();
  const threads = Math.max(1, Math.min(options.threads ?? cores, cores));
  const engine = engineOf(binding, threads);
  const connectedVersion = { version: binding.version, build: llamaCppBuild(binding.version) };
  const inspector = new Inspector(scripts.inspect);
  const vectorInstructions = vectorInstructionsOf(engine, inspector, stateFolder);
  const engines = new Engines(stateFolder, options.healthIntervalMs ?? HEALTH_INTERVAL_MS);
  let closing: Promise<void> | undefined;

  /** Runs a method within its deadline, unless the runtime is closed. */
  const run = <T>(
    callOptions: CallOptions | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    if (closing !== undefined) return Promise.reject(closed());
    return within(callOptions, call);
  };
  const list = (signal: AbortSignal): Promise<ModelListing> =>
    listModels({ list: models, folders: modelFolders, inspector }, signal);
  const devices = async (signal: AbortSignal) =>
    engine.backend === 'cpu' ? [] : inspector.devices(signal);
  const hasGpu = async (signal: AbortSignal): Promise<boolean> =>
    (await devices(signal)).some(isGpu);
  const residents = async (signal: AbortSignal): Promise<readonly ResidentInstance[]> =>
    (await engines.observe(signal)).map(({ instance }) => instance);
  const estimateModel = async (
    model: LocalModel,
    loadConfig: LoadConfig,
    { signal, ...rest }: EstimateOptions & { readonly signal: AbortSignal },
  ): Promise<ResourceEstimate | null> => {
    if (ask === undefined) return null;
    const resolved = resolveLoadConfig(loadConfig, model, await hasGpu(signal));
    return ask(model, resolved, { ...rest, signal });
  };
  const requireRecord = async (instanceIdentifier: string): Promise<EngineRecord> => {
    const record = await engines.find(instanceIdentifier);
    if (record !== null) return record;
    const known = engines.known().map(({ spec }) => spec.instanceIdentifier);
    throw instanceNotFound(instanceIdentifier, known);
  };

  const queue = new LoadQueue((load, signal, onProgress) =>
    loadOnce(
      {
        script: scripts.engine,
        engine: { name: engine.name, version: engine.version },
        threads,
        engines,
        listModels: list,
        hasGpu,
        readMetadata: async (file) => (await inspector.metadata([file], signal)).get(file) ?? null,
        estimate: ({ loadConfig, kind, keepModelInMemory }, model) =>
          estimateModel(model, loadConfig, { signal, kind: kind ?? model.kind, keepModelInMemory }),
      },
      load,
      signal,
      onProgress,
    ),
  );
  const load = (request: LoadRequest): Promise<LoadResult> =>
    closing === undefined ? queue.load(request) : Promise.reject(closed());
  const close = (): Promise<void> => {
    closing ??= queue.cancelAll(closed()).then(() => engines.endOwn());
    return closing;
  };

  return {
    baseUrl: 'embedded://localhost',
    host: hostFacts(),
    connectedVersion,
    version: (call) => run(call, () => Promise.resolve(connectedVersion)),
    listDownloaded: (call) => run(call, list),
    listResidents: (call) => run(call, residents),
    findModel: (modelKey, call) =>
      run(call, async (signal) => findModel(modelKey, (await list(signal)).models)),
    modelInfo: (modelKey, call) =>
      run(call, async (signal) => {
        const model = requireModel(modelKey, (await list(signal)).models);
        return detailsOf(model, await residents(signal));
      }),
    estimate: (modelKey, loadConfig, call) =>
      run(call, async (signal) => {
        const model = requireModel(modelKey, (await list(signal)).models);
        return estimateModel(model, loadConfig, { ...call, signal });
      }),
    surveyHardware: (call) => run(call, async (signal) => surveyOf(engine, await devices(signal))),
    selectedEngines: (call) =>
      run(call, async (signal) => [
        { ...engine, vectorInstructions: await vectorInstructions(signal) },
      ]),
    watchEngines: () =>
      run(undefined, () => {
        const done = (): Promise<void> => Promise.resolve();
        return Promise.resolve({
          reports: () => engines.known().map(reportOf),
          close: done,
          [Symbol.asyncDispose]: done,
        });
      }),
    onEnded: (listener) => engines.onEnded(listener),
    devices: (call) => run(call, () => Promise.resolve(null)),
    load,
    loadFirst: (requests) => loadFirst(load, requests),
    unconfirmedLoads: () => [],
    unload: (instanceIdentifier, call) =>
      run(call, async () => engines.end(await requireRecord(instanceIdentifier))),
    addressOf: (instanceIdentifier) =>
      run(undefined, async () => {
        const { endpoint } = await requireRecord(instanceIdentifier);
        return { baseUrl: baseUrlOf(endpoint), requestHeaders: headersOf(endpoint) };
      }),
    generate: async (request) => {
      if (closing !== undefined) throw closed();
      return generate(await requireRecord(request.instanceIdentifier), request);
    },
    warmUp: async (instanceIdentifier, call = {}) => {
      if (closing !== undefined) throw closed();
      const record = await requireRecord(instanceIdentifier);
      return warmUp(record, call.promptTokens ?? WARM_UP_TOKENS, call);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function closed(): LlamaRuntimeError {
  return new LlamaRuntimeError('CLOSED', 'The runtime was closed. Create another one.');
}

function detailsOf(model: LocalModel, residents: readonly ResidentInstance[]): ModelDetails {
  return {
    model,
    capabilities: statedCapabilities(model),
    variants: [],
    residents: residents.filter(({ modelKey }) => modelKey === model.modelKey),
  };
}
