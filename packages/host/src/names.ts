import type { HostAutopilot } from './autopilot/host-autopilot.js';
import { loadConfig } from './config/load-config.js';
import type { CallOptions } from './control/autopilot-service.js';
import type { HostParts } from './host-parts.js';
import { contextOfCall, listDownloadsNow } from './session/session.js';

/** A kind of name that a shell can complete. */
export type NameKind = 'chain' | 'model' | 'instance' | 'pin';

/** All names of a kind, for shell completion. */
export async function findNames(
  parts: HostParts,
  kind: NameKind,
  { signal }: CallOptions,
  autopilot: () => Promise<HostAutopilot>,
): Promise<readonly string[]> {
  const context = contextOfCall(parts.context, signal);
  switch (kind) {
    case 'chain':
      return Object.keys((await loadConfig(context)).config.fallbackChains);
    case 'pin': {
      const { pins } = await (await autopilot()).journal({ signal: context.signal });
      return pins.map(({ target }) => target);
    }
    case 'model':
      return (await listDownloadsNow(parts, signal)).models.map(({ modelKey }) => modelKey);
    case 'instance': {
      const link = await parts.runtime.link(context.signal);
      if (link.kind === 'off') return [];
      const residents = await link.client.listResidents({ signal: context.signal });
      return residents.map(({ instanceIdentifier }) => instanceIdentifier);
    }
  }
}
