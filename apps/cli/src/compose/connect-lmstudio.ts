import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LMStudioClient, LMStudioError } from '@mai/lmstudio-adapter';
import { connect, isLMStudioError } from '@mai/lmstudio-adapter';
import type { CommandContext } from '../context.js';
import { UsageError } from '../usage-error.js';

/** LM Studio as it was found: running, or off with the reason and what to do about it. */
export type LMStudioLink =
  | { readonly kind: 'on'; readonly client: LMStudioClient }
  | { readonly kind: 'off'; readonly reason: LMStudioError };

/**
 * Connects for a command that needs LM Studio.
 * @throws LMStudioError where it can't be reached; UsageError for a malformed address or token file.
 */
export async function requireLMStudio(context: CommandContext): Promise<LMStudioClient> {
  const link = await connectLMStudio(context);
  if (link.kind === 'off') throw link.reason;
  return link.client;
}

/** Connects for a command that has an answer without LM Studio. Only 'not reachable' counts as off. */
export async function connectLMStudio({
  io,
  globals,
  signal,
}: CommandContext): Promise<LMStudioLink> {
  const apiToken = await readTokenFile(globals.apiTokenFile, io.cwd);
  try {
    const client = await connect({
      baseUrl: globals.url ?? undefined,
      apiToken,
      timeoutMs: globals.timeoutMs ?? undefined,
      signal,
      userHome: io.homeFolder,
      env: io.env,
    });
    return { kind: 'on', client };
  } catch (error) {
    if (isLMStudioError(error) && error.code === 'UNREACHABLE') {
      return { kind: 'off', reason: error };
    }
    // The adapter's word for an address that is none.
    if (error instanceof TypeError && globals.url !== null) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
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

/** Runs `use` with a link to LM Studio and closes it afterwards. */
export async function withLink<Result>(
  context: CommandContext,
  use: (link: LMStudioLink) => Promise<Result>,
): Promise<Result> {
  const link = await connectLMStudio(context);
  try {
    return await use(link);
  } finally {
    if (link.kind === 'on') await link.client.close();
  }
}
