import type { HostParts } from '../host-parts.js';
import type { HostContext } from '../host-options.js';
import { checkChains, checkConfig } from './check-config.js';
import { checkConnection, checkRuntime } from './check-lmstudio.js';
import { checkMachine } from './check-machine.js';
import type { Check } from './check.js';
import { unreadableNote, unusableNote } from '../models/left-out-notes.js';
import { warning } from './check.js';

/** Checks LM Studio, the machine, the configuration and the downloads. */
export async function runChecks(parts: HostParts, context: HostContext): Promise<readonly Check[]> {
  const { link, checks: connection } = await checkConnection(parts.runtime, context.signal);
  const client = link?.kind === 'on' ? link.client : null;
  const { listDownloads, headers } = await parts.estimation();
  const [{ config, check }, machine, runtime, downloads] = await Promise.all([
    checkConfig(context),
    checkMachine(parts.monitor, client, context),
    client === null ? [] : checkRuntime(client, context.signal),
    link === null ? null : listDownloads(link, context, headers),
  ]);
  return [
    ...connection,
    ...runtime,
    ...machine,
    check,
    ...(config === null || downloads === null ? [] : [checkChains(config, downloads)]),
    ...(downloads?.unusable ?? []).map((file) => warning('File', unusableNote(file), null)),
    ...(downloads?.unreadable ?? []).map((one) => warning('Folder', unreadableNote(one), null)),
  ];
}
