import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { discover, parseBaseUrl } from '@mai/lmstudio-adapter';
import type { CommandContext } from '../context.js';
import { UsageError } from '../usage-error.js';

/** What the autopilot of one LM Studio keeps between runs, and where. */
export interface AutopilotFiles {
  /** The LM Studio, as its client names it: `ws://host:port`. */
  readonly address: string;
  readonly folder: string;
  /** Pins, yields and failures. */
  readonly journal: string;
  /** Every decision, in JSON lines; full files are moved aside. */
  readonly decisionLog: string;
}

const DEFAULT_ADDRESS = 'ws://127.0.0.1:1234';

/** The files of the autopilot that looks after the LM Studio at an address. */
export function autopilotFilesOf({ io }: CommandContext, at: string): AutopilotFiles {
  const address = withOneLoopback(at);
  // One folder each: two LM Studios have two journals, and a log has one writer.
  const folder = path.join(allFolders(io.folders.data), folderName(address));
  return {
    address,
    folder,
    journal: path.join(folder, 'journal.json'),
    decisionLog: path.join(folder, 'decisions.jsonl'),
  };
}

/**
 * The same for the LM Studio that the command line names, or that runs here. Where none runs it is the one
 * that was looked after last: its autopilot may be waiting for it to come back.
 */
export async function findAutopilotFiles(context: CommandContext): Promise<AutopilotFiles> {
  const { io, globals, signal } = context;
  if (globals.url !== null) return autopilotFilesOf(context, explicitAddress(globals.url));
  const { baseUrl } = await discover({ userHome: io.homeFolder, env: io.env, signal });
  return autopilotFilesOf(
    context,
    baseUrl ?? (await lastAddress(io.folders.data)) ?? DEFAULT_ADDRESS,
  );
}

/** All names of this machine's loopback are one: two that look after one LM Studio would fight over it. */
function withOneLoopback(address: string): string {
  return address.replace(
    /^(?<scheme>wss?:\/\/)(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=:)/,
    '$<scheme>127.0.0.1',
  );
}

function explicitAddress(url: string): string {
  try {
    return parseBaseUrl(url).webSocketUrl;
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message, { cause: error }) : error;
  }
}

function allFolders(dataFolder: string): string {
  return path.join(dataFolder, 'autopilot');
}

// The scheme is left out where it is the usual one, for the sake of those who look into the folder.
const USUAL_SCHEME = 'ws://';

function folderName(address: string): string {
  return encodeURIComponent(
    address.startsWith(USUAL_SCHEME) ? address.slice(USUAL_SCHEME.length) : address,
  );
}

async function lastAddress(dataFolder: string): Promise<string | null> {
  const parent = allFolders(dataFolder);
  let names: readonly string[];
  try {
    names = await readdir(parent);
  } catch {
    return null;
  }
  const folders = await Promise.all(
    names.map(async (name) => ({ name, usedMs: (await stat(path.join(parent, name))).mtimeMs })),
  );
  const [last] = folders.sort((one, other) => other.usedMs - one.usedMs);
  if (last === undefined) return null;
  const address = decodeURIComponent(last.name);
  return /^[a-z]+:\/\//.test(address) ? address : `${USUAL_SCHEME}${address}`;
}
