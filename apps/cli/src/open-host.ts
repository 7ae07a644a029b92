import { type Host, type HostOptions, openHost } from '@mai/host';
import type { CommandContext } from './context.js';
import { Interrupted } from './io.js';

/** Opens a host with the global options of the command line. `changes` replace options. */
export function openHostOf(
  { io, output, globals, signal }: CommandContext,
  changes: HostOptions = {},
): Promise<Host> {
  return openHost({
    url: globals.url ?? undefined,
    apiTokenFile: globals.apiTokenFile ?? undefined,
    configFile: globals.configFile ?? undefined,
    runtime: globals.runtime ?? undefined,
    modelFolders: globals.modelFolders,
    timeoutMs: globals.timeoutMs ?? undefined,
    userHome: io.homeFolder,
    env: io.env,
    cwd: io.cwd,
    platform: io.platform,
    warn: output.warn,
    onUnconfirmedLoad: ({ instanceIdentifier }) => {
      const reason: unknown = signal.reason;
      if (reason instanceof Interrupted) reason.unconfirmed.push(instanceIdentifier);
    },
    signal,
    ...changes,
  });
}
