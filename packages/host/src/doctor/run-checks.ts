import type { HostParts } from '../host-parts.js';
import type { HostContext } from '../host-options.js';
import { checkChains, checkConfig } from './check-config.js';
import { checkRuntime } from './check-runtime.js';
import { checkEngine } from './check-engine.js';
import { checkMachine } from './check-machine.js';
import { checkRam } from './check-ram.js';
import { checkFolders } from './check-folders.js';
import { checkHeadroom } from './check-headroom.js';
import type { Check } from './check.js';
import { otherEntryNote, unreadableNote, unusableNote } from '../downloads/left-out-notes.js';
import { warning } from './check.js';

/**
 * Checks the runtime, the machine, the configuration and the downloads.
 *
 * @param measure - whether to measure the bandwidth of RAM
 */
export async function runChecks(
  parts: HostParts,
  context: HostContext,
  measure: boolean,
): Promise<readonly Check[]> {
  const { link, checks: runtime } = await checkRuntime(parts.runtime, context.signal);
  const { listDownloads, headers } = await parts.estimation();
  const [{ config, check }, machine, downloads] = await Promise.all([
    checkConfig(context),
    checkMachine(parts.monitor, link, context),
    link === null ? null : listDownloads(link, context, headers),
  ]);
  return [
    ...runtime,
    ...machine,
    await checkRam(parts, context, measure),
    ...(downloads === null ? [] : checkEngine(downloads.engine)),
    ...(await checkFolders(context)),
    check,
    ...(config === null ? [] : await checkHeadroom(config, parts, context.signal)),
    ...(config === null || downloads === null ? [] : [checkChains(config, downloads)]),
    ...(downloads?.unusable ?? []).map((file) => warning('File', unusableNote(file), null)),
    ...(downloads?.otherEntries ?? []).map((one) => warning('Model', otherEntryNote(one), null)),
    ...(downloads?.unreadable ?? []).map((one) => warning('Folder', unreadableNote(one), null)),
  ];
}
