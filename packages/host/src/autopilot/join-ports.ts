import type { AutopilotPorts, EnginePort } from '@mai/autopilot';
import type { EngineWatch, LMStudioClient, ResidentInstance } from '@mai/lmstudio-adapter';
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
  const ports = composePorts({
    link,
    monitor: parts.monitor.port,
    clock,
    catalog: catalog.port,
    estimator: catalog.estimator,
    engines: (residents) => watchEngines(parts, client, residents),
  });
  return { ports, client, config };
}

/**
 * The processes of LM Studio's engines, from its log. Null where they can't be read within milliseconds: on another
 * machine, and on systems where a program has to be started for that.
 */
function watchEngines(
  { context: { platform } }: HostParts,
  client: LMStudioClient,
  residents: () => readonly ResidentInstance[],
): EnginePort | null {
  if (!client.host.isLocal || platform !== 'linux') return null;
  let watch: EngineWatch | null = null;
  // An LM Studio without this log answers late, so the autopilot starts meanwhile. The watch ends with the client.
  client.watchEngines().then(
    (opened) => (watch = opened),
    () => undefined,
  );
  return createEnginePort({ reports: () => watch?.reports() ?? [] }, residents);
}
