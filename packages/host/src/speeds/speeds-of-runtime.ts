import { hostname } from 'node:os';
import type { HostParts } from '../host-parts.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import type { Speeds } from './speeds.js';

/** The speeds of the machine that the runtime loads models on. The measurements of two machines are kept apart. */
export function speedsOfRuntime(parts: HostParts, link: RuntimeLink): Promise<Speeds> {
  return parts.speeds(machineOf(link));
}

/** The name under which the measurements of the runtime's machine are stored. */
function machineOf(link: RuntimeLink): string {
  if (link.kind === 'off' || link.client.host.isLocal) return hostname();
  const { reason } = link.client.host;
  // The address of the host of a container or of WSL may change at each start.
  return reason === 'other-host'
    ? `LM Studio at ${new URL(link.client.baseUrl).hostname}`
    : `the host of ${hostname()}`;
}
