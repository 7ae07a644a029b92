import type { AutopilotPorts } from '@mai/autopilot';
import type { EngineWatch, LMStudioClient } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import { createEnginePort } from '../engine/engine-processes.js';
import type { HostParts } from '../host-parts.js';
import { composePorts } from '../runtime/compose-ports.js';
import { openLiveCatalog } from './live-catalog.js';
import type { LiveConfig } from './live-config.js';
import { openLiveConfig } from './live-config.js';

/** The ports of an autopilot, and the LM Studio and the configuration that they use. */
export interface JoinedPorts {
  readonly ports: AutopilotPorts;
  readonly client: LMStudioClient;
  readonly config: LiveConfig;
}

/**
 * Joins the ports of an autopilot.
 *
 * @param onApplied - called after an edited configuration has come into force
 * @throws LMStudioError or ModelConfigError
 */
export async function joinAutopilotPorts(
  parts: HostParts,
  onApplied: (config: LoadedModelConfig) => void,
): Promise<JoinedPorts> {
  const { clock, signal } = parts.context;
  const config = await openLiveConfig(parts.context);
  const client = await parts.runtime.client(signal);
  await parts.monitor.inform(client, signal);
  const link = { kind: 'on', client } as const;
  const catalog = await openLiveCatalog({ parts, link, config, onApplied });
  const watch = await watchEngines(parts, client);
  const ports = composePorts({
    link,
    monitor: parts.monitor.port,
    clock,
    catalog: catalog.port,
    estimator: catalog.estimator,
    engines: (residents) => (watch === null ? null : createEnginePort(watch, residents)),
  });
  return { ports, client, config };
}

/**
 * Subscribes to the log of LM Studio's engines, before the first load, because the log names each process only while
 * it starts. The subscription ends with the client. Null where processes can't be read within milliseconds: on another
 * machine, and on systems where a program has to be started for that.
 */
async function watchEngines(
  { context: { platform } }: HostParts,
  client: LMStudioClient,
): Promise<EngineWatch | null> {
  return client.host.isLocal && platform === 'linux' ? client.watchEngines() : null;
}
