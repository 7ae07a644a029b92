import type { AutopilotPorts } from '@mai/autopilot';
import type { LoadedModelConfig } from '@mai/model-config';
import { createEnginePort } from '../engine/engine-processes.js';
import { openGivenContexts, type GivenContexts } from '../runtime/given-contexts.js';
import type { HostParts } from '../host-parts.js';
import { composePorts } from '../runtime/compose-ports.js';
import type { ActiveLink } from '../runtime/connect-runtime.js';
import { openLiveCatalog } from './live/live-catalog.js';
import type { LiveConfig } from './live/live-config.js';
import { openLiveConfig } from './live/live-config.js';

/** The ports of an autopilot, and what they use. */
export interface JoinedPorts {
  readonly ports: AutopilotPorts;
  readonly link: ActiveLink;
  readonly config: LiveConfig;
  readonly contexts: GivenContexts;
}

/**
 * Joins the ports of an autopilot.
 *
 * @param onApplied - called after an edited configuration has come into force
 * @throws LMStudioError, LlamaRuntimeError or ModelConfigError
 */
export async function joinAutopilotPorts(
  parts: HostParts,
  onApplied: (config: LoadedModelConfig) => void,
): Promise<JoinedPorts> {
  const { clock, signal } = parts.context;
  const config = await openLiveConfig(parts.context);
  const link = await parts.runtime.active(signal);
  const { client } = link;
  await parts.monitor.inform(link, signal);
  // Watch before the first load, because an engine prints its process id and its buffers only while it loads a
  // model. The subscription ends with the client.
  const watch = await client.watchEngines({
    onPrediction: (prediction) => {
      void parts.learner().then((learner) => learner.logged(prediction));
    },
  });
  const engineReports = () => watch.reports();
  const contexts = openGivenContexts(parts.context, link);
  const catalog = await openLiveCatalog({
    parts,
    link,
    config,
    contexts,
    engineReports,
    onApplied,
  });
  // Only Linux is fast enough to read an engine's process in every round.
  const canReadEngines = client.host.isLocal && parts.context.platform === 'linux';
  const ports = composePorts({
    link,
    monitor: parts.monitor.port,
    clock,
    contexts,
    onLoaded: async (...load) => (await parts.learner()).loaded(...load),
    catalog: catalog.port,
    estimator: catalog.estimator,
    engines: (residents) => (canReadEngines ? createEnginePort(watch, residents) : null),
  });
  return { ports, link, config, contexts };
}
