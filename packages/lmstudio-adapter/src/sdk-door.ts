// The only file that knows @lmstudio/sdk. It is imported on the first WebSocket call, and inlined
// into the published build (see README, 'The SDK is inside').
import { LMStudioClient, type LLM, type EmbeddingModel } from '@lmstudio/sdk';

import type { ModelKind } from './models/model-types.js';
import { plainText } from './wire/plain-text.js';
import type {
  Namespace,
  RawConfigField,
  RawInstanceInfo,
  RawModelInfo,
  Wire,
  WireOptions,
} from './wire/wire.js';

/** Time for the closing handshake of a healthy socket before it is cut. */
const CLOSE_GRACE_MS = 200;

/** The namespace in the logger prefix `[LMStudioClient][LLM][ClientPort]`. */
const NAMESPACE_BY_LOGGER: Readonly<Record<string, Namespace>> = {
  System: 'system',
  LLM: 'llm',
  Embedding: 'embedding',
  Runtime: 'runtime',
  Repository: 'repository',
};

/** Opens an SDK client. No socket is opened before the first call. */
export function openSdkWire(options: WireOptions): Wire {
  const client = new LMStudioClient({
    // Always explicit: without it the SDK's own discovery ends the process when nothing answers.
    baseUrl: options.webSocketUrl,
    logger: watchingLogger(options),
    verboseErrorMessages: false,
    ...options.credentials,
  });
  const models = (kind: ModelKind) => (kind === 'llm' ? client.llm : client.embedding);
  const handle = (kind: ModelKind, reference: string) =>
    models(kind).createDynamicHandleFromInstanceReference(reference);
  let closing: Promise<void> | undefined;
  let disposing: Promise<void> | undefined;
  const sockets = new Set<Socket>();
  const dispose = (): Promise<void> => {
    // Disposing drops the references, and a peer that ignores the closing handshake must be cut.
    for (const name of ALL_NAMESPACES) {
      const socket = transportOf(client, name)?.ws;
      if (socket != null) sockets.add(socket);
    }
    // A second dispose rejects; while a call is open the first one waits for it.
    disposing ??= client[Symbol.asyncDispose]().catch(() => undefined);
    return disposing;
  };

  return {
    version: () => client.system.getLMStudioVersion(),
    listDownloadedModels: async () =>
      (await client.system.listDownloadedModels()).filter(isModelWeKnow),
    listDownloadedModelVariants: async (modelKey) =>
      (await client.system.listDownloadedModelVariants(modelKey)).filter(isModelWeKnow),
    listLoaded: async (kind) =>
      (await models(kind).listLoaded()).map((model: LLM | EmbeddingModel) => ({
        instanceReference: model.instanceReference,
      })),
    getModelInfo: (kind, reference): Promise<RawInstanceInfo | undefined> =>
      handle(kind, reference).getModelInfo(),
    getLoadConfig: (kind, reference) => loadConfigFields(handle(kind, reference)),
    getInstanceProcessingState: (kind, reference) =>
      handle(kind, reference).getInstanceProcessingState(),
    estimateModelUsage: (kind, modelKey, config, deviceIdentifier) =>
      models(kind).estimateResourcesUsage(modelKey, config, device(deviceIdentifier)),
    loadModel: async (kind, request) => {
      const loaded = await models(kind).load(request.modelKey, {
        identifier: request.identifier,
        config: request.config,
        verbose: false,
        signal: request.signal,
        onProgress: request.onProgress,
        // Seconds; the SDK multiplies by 1000 and wants an integer then.
        ...(request.ttlMs === null ? {} : { ttl: request.ttlMs / 1000 }),
        ...device(request.deviceIdentifier),
      });
      return loaded.instanceReference;
    },
    unloadModel: (kind, identifier, deviceIdentifier) =>
      models(kind).unload(identifier, device(deviceIdentifier)),
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
    surveyHardware: () => client.runtime.surveyHardware({ type: 'selected' }),
    getEngineSelections: () => client.runtime.engine.getSelections(),
    lmLinkStatus: () => client.repository.lmLink.status(),
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

function device(deviceIdentifier: string | null | undefined): {
  deviceIdentifier?: string | null;
} {
  return deviceIdentifier === undefined ? {} : { deviceIdentifier };
}

/** Newer LM Studios list image and speech models too; they are loaded through other namespaces. */
function isModelWeKnow(model: { readonly type: string }): model is RawModelInfo {
  return model.type === 'llm' || model.type === 'embedding';
}

/** The SDK prints nothing; what it would say about the connection and the protocol is passed on. */
function watchingLogger({ onCommunicationWarning, onDisconnected }: WireOptions) {
  const ignore = (): void => undefined;
  const warn = (...parts: readonly unknown[]): void => {
    const text = plainText(parts.filter((part) => typeof part === 'string').join(' '));
    if (/WebSocket error/i.test(text)) return onDisconnected();
    if (!/communication warning/i.test(text)) return;
    const logger = /\[LMStudioClient\]\[(\w+)\]/.exec(text)?.[1];
    onCommunicationWarning(
      (logger === undefined ? undefined : NAMESPACE_BY_LOGGER[logger]) ?? null,
      text,
    );
  };
  return { debug: ignore, info: ignore, warn, error: ignore };
}

/**
 * The fields as LM Studio keeps them. The typed `getLoadConfig()` fills what is missing with the
 * SDK's defaults, which would pass off a guess as what the instance runs with.
 */
async function loadConfigFields(handle: object): Promise<readonly RawConfigField[]> {
  const raw = handle as {
    getLoadKVConfig?: (stack: string) => Promise<{ readonly fields: readonly RawConfigField[] }>;
  };
  return (await raw.getLoadKVConfig?.(''))?.fields ?? [];
}

/** What is used of the SDK's insides. Optional throughout: tests fail if the shape ever changes. */
interface Transport {
  readonly status?: string;
  readonly ws?: Socket | null;
}

interface Socket {
  readonly readyState: number;
  close(): void;
  terminate(): void;
  once(event: 'close', listener: () => void): void;
}

const SOCKET_CLOSED = 3;

const ALL_NAMESPACES = [
  'llm',
  'embedding',
  'system',
  'diagnostics',
  'files',
  'repository',
  'plugins',
  'runtime',
];

function transportOf(client: LMStudioClient, namespace: string): Transport | undefined {
  const ports = client as unknown as Readonly<Record<string, { readonly transport?: Transport }>>;
  return ports[`${namespace}Port`]?.transport;
}

/**
 * The SDK has no way to end a client with a call pending: its dispose waits for the answer. So the
 * sockets are noted, the client is disposed so that it never reconnects, and the sockets are closed,
 * or cut when the other side does not close in time. Pending calls then never settle, and hold
 * nothing.
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
    const cut = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
    socket.once('close', () => {
      clearTimeout(cut);
      resolve();
    });
    socket.close();
  });
}
