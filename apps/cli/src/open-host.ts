import path from 'node:path';
import { type Host, type HostOptions, openHost } from '@mai/host';
import type { CommandContext } from './context.js';
import { Interrupted } from './io.js';

/** Opens a host with the global options of the command line. `changes` replace options. */
export function openHostOf(
  { io, output, globals, signal }: CommandContext,
  changes: HostOptions = {},
): Promise<Host> {
  return openHost({
    ...globals,
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

/** Folder of the keys and the configuration of this machine's fleet. */
export function fleetFolderOf({ folders }: Host): string {
  return path.join(folders.data, 'fleet');
}
