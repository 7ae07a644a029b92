import * as z from 'zod/mini';
import type { Endpoint, Namespace } from '../wire/endpoint.js';
import { channel, rpc } from '../wire/endpoint.js';
import { notSimulated } from '../wire/wire-error.js';

interface EndpointNames {
  readonly rpc: readonly string[];
  readonly channel: readonly string[];
}

/** The endpoints of LM Studio that are not simulated, from the protocol code in SDK 2.0.0. */
const NAMES: Readonly<Record<string, EndpointNames>> = {
  system: { rpc: ['setExperimentFlag', 'requestShutdown'], channel: [] },
  repository: {
    rpc: [
      'searchModels',
      'getModelDownloadOptions',
      'installPluginDependencies',
      'getLocalArtifactFiles',
      'getWritableArtifactOwners',
      'isAuthenticated',
      'getAuthenticationStatus',
      'deauthenticate',
      'loginAsComputeDevice',
      'loginWithPreAuthenticatedKeys',
      'installLocalPlugin',
      'getModelCatalog',
      'fuzzyFindStaffPicks',
      'lmLinkSetDisabled',
      'lmLinkUpdateDeviceName',
    ],
    channel: [
      'downloadModel',
      'downloadArtifact',
      'pushArtifact',
      'ensureAuthenticated',
      'createDownloadPlan',
    ],
  },
  runtime: {
    rpc: ['removeEngine', 'searchRuntimeExtensions'],
    channel: ['downloadRuntimeExtension'],
  },
  files: {
    rpc: ['getLocalFileAbsolutePath', 'getDocumentParsingLibrary'],
    channel: ['retrieve', 'parseDocument'],
  },
  plugins: {
    rpc: [
      'reindexPlugins',
      'processingHandleUpdate',
      'processingHandleRequest',
      'processingPullHistory',
      'processingGetOrLoadTokenSource',
      'processingHasStatus',
      'processingNeedsNaming',
      'processingSuggestName',
      'processingSetSenderName',
      'setConfigSchematics',
      'setGlobalConfigSchematics',
      'pluginInitCompleted',
      'reportError',
    ],
    channel: [
      'startToolUseSession',
      'generateWithGenerator',
      'registerDevelopmentPlugin',
      'setPromptPreprocessor',
      'setPredictionLoopHandler',
      'setToolsProvider',
      'setGenerator',
    ],
  },
};

/** Adds the endpoints that are not simulated to a namespace. They answer with an error. */
export function completeNamespace(
  name: string,
  simulated: readonly (readonly [string, Endpoint])[],
): Namespace {
  const missing = NAMES[name] ?? { rpc: [], channel: [] };
  const refuse = (endpoint: string) => (): never => {
    throw notSimulated(endpoint);
  };
  return new Map<string, Endpoint>([
    ...missing.rpc.map((rpcName) => [rpcName, rpc(z.unknown(), refuse(rpcName))] as const),
    ...missing.channel.map(
      (channelName) =>
        [channelName, channel(z.unknown(), z.unknown(), refuse(channelName))] as const,
    ),
    ...simulated,
  ]);
}
