import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { discover, parseBaseUrl } from '@mai/lmstudio-adapter';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import type { ActiveLink, RuntimeConnection } from './connect-runtime.js';

/** The files of the autopilot of one runtime: of one LM Studio, or of the embedded engine. */
export interface AutopilotFiles {
  /** Address of the LM Studio: `ws://host:port`. `embedded` for the embedded engine. */
  readonly address: string;
  readonly folder: string;
  /** Pins, yields and failures. */
  readonly journal: string;
  /** Every decision, in JSON lines. A full file is renamed, and a new file is started. */
  readonly decisionLog: string;
  /** The note that names the control socket of the autopilot's process. */
  readonly control: string;
}

const DEFAULT_ADDRESS = 'ws://127.0.0.1:1234';
/** The embedded engine has no address of its own. Each user has one on a machine. */
const EMBEDDED = 'embedded';

/** The files of the autopilot of a connected runtime. */
export function autopilotFilesOf(context: HostContext, link: ActiveLink): AutopilotFiles {
  return filesAt(context, link.runtime === 'embedded' ? EMBEDDED : link.client.baseUrl);
}

/** The files of the autopilot of the embedded engine. */
export function embeddedAutopilotFiles(context: HostContext): AutopilotFiles {
  return filesAt(context, EMBEDDED);
}

function filesAt({ folders }: HostContext, at: string): AutopilotFiles {
  const address = withOneLoopback(at);
  // Each runtime has its own folder, because a journal is about one runtime and a decision log
  // has one writer.
  const folder = path.join(allFolders(folders.data), folderName(address));
  return {
    address,
    folder,
    journal: path.join(folder, 'journal.json'),
    decisionLog: path.join(folder, 'decisions.jsonl'),
    control: path.join(folder, 'control.json'),
  };
}

/**
 * The files for the embedded engine where it is the runtime; for the LM Studio that the options name, or else for the LM Studio that runs on this machine. Where
 * LM Studio is off: the files that were used last, because their autopilot may be waiting until LM Studio runs
 * again.
 *
 * @throws HostError `INVALID_REQUEST` for a malformed address
 */
export async function findAutopilotFiles(
  runtime: RuntimeConnection,
  context: HostContext,
): Promise<AutopilotFiles> {
  const { url, folders, userHome, env, signal } = context;
  if ((await runtime.choice(signal)).runtime === 'embedded') return embeddedAutopilotFiles(context);
  if (url !== null) return filesAt(context, explicitAddress(url));
  const { baseUrl } = await discover({ userHome, env, signal });
  return filesAt(context, baseUrl ?? (await lastAddress(folders.data)) ?? DEFAULT_ADDRESS);
}

/** Replaces every loopback address by `127.0.0.1`, so that each LM Studio has only one folder. */
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
    if (!(error instanceof TypeError)) throw error;
    throw new HostError('INVALID_REQUEST', error.message, { cause: error });
  }
}

function allFolders(dataFolder: string): string {
  return path.join(dataFolder, 'autopilot');
}

// Folder names leave this scheme out, so that they are readable.
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
    names = (await readdir(parent)).filter((name) => name !== EMBEDDED);
  } catch {
    // The folder does not exist: no autopilot has run here yet.
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
