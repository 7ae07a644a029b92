import type { HostParts } from '../host-parts.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import type { Speeds } from './speeds.js';

/** The speeds of this machine; null where the runtime is on another machine, about which they say nothing. */
export async function speedsHere(parts: HostParts, link: RuntimeLink): Promise<Speeds | null> {
  return link.kind === 'off' || link.client.host.isLocal ? parts.speeds() : null;
}
