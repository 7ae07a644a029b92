// The only file that imports @lmstudio/sdk. It is loaded on the first WebSocket call, and the SDK is
// inlined into the published build (README, 'The SDK is inside').
import { LMStudioClient, type LLM, type EmbeddingModel } from '@lmstudio/sdk';

import { toLogEvent } from './engine-log/engine-event.js';
import { systemTimers } from './timers.js';
import {
  parseInstance,
  parseListing,
  parseLoadedEntry,
  parseSurvey,
} from './wire/parse-answers.js';
import { plainText } from './faults/plain-text.js';
import {
  ALL_NAMESPACES,
  loosen,
  type Socket,
  SOCKET_CLOSED,
  transportOf,
} from './wire/sdk-internals.js';
import type { ModelKind, Namespace, RawConfigField, Wire, WireOptions } from './wire/wire.js';

/** Deadline of a socket's closing handshake. After that the socket is terminated. */
const CLOSE_GRACE_MS = 200;

/** Namespaces by the SDK's logger prefix, e.g. `[LMStudioClient][LLM][ClientPort]`. */
const NAMESPACE_BY_LOGGER: Readonly<Record<string, Namespace>> = {
  System: 'system',
  LLM: 'llm',
  Embedding: 'embedding',
  Runtime: 'runtime',
  Repository: 'repository',
  Diagnostics: 'diagnostics',
};

/** Makes an SDK client. Its first call opens the first socket. */
export function openSdkWire(options: WireOptions): Wire {
  const client = new LMStudioClient({
    // Without an address the SDK looks for LM Studio itself, and ends the process when nothing answers.
    baseUrl: options.webSocketUrl,
    logger: reportingLogger(options),
    verboseErrorMessages: false,
    ...options.credentials,
  });
  const loadedEntry = loosen(client);
  const models = (kind: ModelKind) => (kind === 'llm' ? client.llm : client.embedding);
  const handle = (kind: ModelKind, reference: string) =>
    models(kind).createDynamicHandleFromInstanceReference(reference);
  let closing: Promise<void> | undefined;
  let disposing: Promise<void> | undefined;
  const sockets = new Set<Socket>();
  const dispose = (): Promise<void> => {
    // The SDK forgets its sockets here. This set keeps them, so that a socket that does not close
    // in time can be terminated.
    for (const name of ALL_NAMESPACES) {
      const socket = transportOf(client, name)?.ws;
      if (socket != null) sockets.add(socket);
    }
    // The first dispose waits for open calls. A second dispose would reject.
    disposing ??= client[Symbol.asyncDispose]().catch(() => undefined);
    return disposing;
  };

  return {
    version: () => client.system.getLMStudioVersion(),
    listDownloadedModels: async () =>
      parsed(parseListing(await client.system.listDownloadedModels())),
    listDownloadedModelVariants: async (modelKey) =>
      parsed(parseListing(await client.system.listDownloadedModelVariants(modelKey))),
    listLoaded: async (kind) =>
      (await models(kind).listLoaded()).map(({ instanceReference }: LLM | EmbeddingModel) => ({
        instanceReference,
        info: parseLoadedEntry(loadedEntry(kind, instanceReference), kind),
      })),
    getModelInfo: async (kind, reference) =>
      parseInstance(await handle(kind, reference).getModelInfo(), kind),
    getLoadConfig: (kind, reference) => loadConfigFields(handle(kind, reference)),
    getInstanceProcessingState: (kind, reference) =>
      handle(kind, reference).getInstanceProcessingState(),
    estimateModelUsage: (kind, modelKey, config, deviceIdentifier) =>
      models(kind).estimateResourcesUsage(modelKey, config, { deviceIdentifier }),
    loadModel: async (kind, request) => {
      const loaded = await models(kind).load(request.modelKey, {
        identifier: request.identifier,
        config: request.config,
        verbose: false,
        signal: request.signal,
        onProgress: request.onProgress,
        // The SDK takes seconds, multiplies them by 1000 and refuses a fraction. With this value
        // the product is a whole number.
        ...(request.ttlMs === null ? {} : { ttl: request.ttlMs / 1000 }),
        deviceIdentifier: request.deviceIdentifier,
      });
      return loaded.instanceReference;
    },
    unloadModel: (kind, identifier, deviceIdentifier) =>
      models(kind).unload(identifier, { deviceIdentifier }),
    predict: async (request) => {
      const result = await client.llm
        .createDynamicHandle(request.identifier)
        .respond(request.prompt, {
          maxTokens: request.maxTokens,
          signal: request.signal,
          onPredictionFragment: (fragment) => request.onText(fragment.content),
          ...(request.temperature === null ? {} : { temperature: request.temperature }),
        });
      return {
        text: result.content,
        stopReason: result.stats.stopReason,
        promptTokens: result.stats.promptTokensCount ?? null,
        predictedTokens: result.stats.predictedTokensCount ?? null,
        tokensPerSecond: result.stats.tokensPerSecond ?? null,
        timeToFirstTokenSec: result.stats.timeToFirstTokenSec ?? null,
      };
    },
    embedString: async (identifier, text) =>
      (await client.embedding.createDynamicHandle(identifier).embed(text)).embedding.length,
    surveyHardware: async () =>
      parsed(parseSurvey(await client.runtime.surveyHardware({ type: 'selected' }))),
    getEngineSelections: () => client.runtime.engine.getSelections(),
    lmLinkStatus: () => client.repository.lmLink.status(),
    streamEngineLogs: (onEvent) => {
      client.diagnostics.unstable_streamLogs((logEvent: unknown) => {
        const event = toLogEvent(logEvent);
        if (event !== null) onEvent(event);
      });
    },
    isConnected: (namespace) => {
      const status = transportOf(client, namespace)?.status;
      return status === undefined ? null : status === 'CONNECTED';
    },
    settled: dispose,
    close: () => {
      closing ??= closeSockets(sockets, dispose);
      return closing;
    },
  };
}

/** The SDK has checked the shape, so `undefined` would be a mistake in this package. */
function parsed<T>(answer: T | undefined): T {
  if (answer === undefined) throw new TypeError('an answer of the SDK has an unknown shape');
  return answer;
}

/** A logger that prints nothing, and reports broken sockets and protocol warnings to the session. */
function reportingLogger({ onCommunicationWarning, onDisconnected }: WireOptions) {
  const ignore = (): void => undefined;
  const warn = (...parts: readonly unknown[]): void => {
    const text = plainText(parts.filter((part) => typeof part === 'string').join(' '));
    if (/WebSocket error/i.test(text)) return onDisconnected();
    if (!/communication warning/i.test(text)) return;
    const logger = /\[LMStudioClient\]\[(\w+)\]/.exec(text)?.[1];
    const namespace = (logger === undefined ? undefined : NAMESPACE_BY_LOGGER[logger]) ?? null;
    // A warning about the log stream may contain a prompt.
    if (namespace === 'diagnostics') return;
    onCommunicationWarning(namespace, text);
  };
  return { debug: ignore, info: ignore, warn, error: ignore };
}

/**
 * The load configuration of an instance, as LM Studio stores it. The SDK's public `getLoadConfig()`
 * fills missing fields with the SDK's defaults, which the instance may not run with. The method below
 * is not in the SDK's types, so the cast declares it as optional.
 */
async function loadConfigFields(handle: object): Promise<readonly RawConfigField[]> {
  const raw = handle as {
    getLoadKVConfig?: (stack: string) => Promise<{ readonly fields: readonly RawConfigField[] }>;
  };
  return (await raw.getLoadKVConfig?.(''))?.fields ?? [];
}

/**
 * Ends a client that may have open calls. The SDK's own dispose waits for their answers, which
 * may never come. So this function starts the dispose, which stops reconnecting, and closes the
 * sockets itself. A socket whose peer does not close it in time is terminated. The open calls
 * stay pending, but no longer keep the process alive.
 */
async function closeSockets(sockets: Set<Socket>, dispose: () => Promise<void>): Promise<void> {
  // A socket is created one microtask after the call that needs it.
  await new Promise((resolve) => setImmediate(resolve));
  void dispose();
  await Promise.all([...sockets].map(closeSocket));
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === SOCKET_CLOSED) return resolve();
    const cancelTermination = systemTimers.after(CLOSE_GRACE_MS, () => socket.terminate());
    socket.once('close', () => {
      cancelTermination();
      resolve();
    });
    socket.close();
  });
}
