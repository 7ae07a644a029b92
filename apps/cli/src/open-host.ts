import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Host, HostOptions } from '@mai/host';
import { openHost } from '@mai/host';
import type { CommandContext } from './context.js';
import { UsageError } from './usage-error.js';

/** Opens the host that the options describe. @throws UsageError for an unusable token file */
export async function openHostOf(
  { io, output, globals, signal }: CommandContext,
  changes: HostOptions = {},
): Promise<Host> {
  return openHost({
    url: globals.url ?? undefined,
    apiToken: await readTokenFile(globals.apiTokenFile, io.cwd),
    configFile: globals.configFile ?? undefined,
    timeoutMs: globals.timeoutMs ?? undefined,
    userHome: io.homeFolder,
    env: io.env,
    cwd: io.cwd,
    platform: io.platform,
    warn: output.warn,
    signal,
    ...changes,
  });
}

async function readTokenFile(file: string | null, cwd: string): Promise<string | undefined> {
  if (file === null) return undefined;
  const resolved = path.resolve(cwd, file);
  let text: string;
  try {
    text = await readFile(resolved, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `The token file ${resolved} can't be read (${code ?? 'unknown error'}). Check --api-token-file.`,
      { cause: error },
    );
  }
  if (text.trim() === '') {
    throw new UsageError(
      `The token file ${resolved} is empty. Put one LM Studio API token into it.`,
    );
  }
  return text.trim();
}
