import { mkdir, lstat, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { errorCodeOf, isRecord } from '../../guards.js';
import { replaceFile } from '../../files/replace-file.js';

/**
 * The content of the note. The note is a file with a fixed path in the autopilot's folder. It names the endpoint of
 * the process that runs the autopilot: a Unix socket, or a named pipe on Windows. The endpoint has a random name, for
 * three reasons:
 *
 * - A new server can listen while the socket of a crashed server still exists.
 * - A server that closes cannot remove the socket of the next server.
 * - Another user cannot occupy the name of a pipe in advance.
 */
export interface EndpointNote {
  readonly endpoint: string;
  /** The process that listens. */
  readonly processId: number;
  /** Its `modelFolders` option. Other processes of this user find its models by it without naming the folders again. */
  readonly modelFolders: readonly string[];
}

/** Maximum length of a socket path: macOS allows 104 bytes with the final zero, Linux 108. */
const SOCKET_PATH_MAX_BYTES = 100;
const RANDOM_CHARACTERS = 12;

/**
 * Chooses a new endpoint for the server whose note is `noteFile`. A Unix socket lies in the folder of the note. Where
 * that path would be too long for the system, it lies in a temporary folder that only this user can open.
 */
export async function newEndpoint(noteFile: string): Promise<string> {
  const random = crypto.randomUUID().replaceAll('-', '').slice(0, RANDOM_CHARACTERS);
  await mkdir(path.dirname(noteFile), { recursive: true });
  if (process.platform === 'win32') return `\\\\.\\pipe\\mai-${random}`;
  const name = `mai-${random}.sock`;
  const usual = path.join(path.dirname(noteFile), name);
  if (isShort(usual)) return usual;
  const short = [os.tmpdir(), '/tmp']
    .map((folder) => path.join(folder, `mai-${os.userInfo().uid}`, name))
    .find(isShort);
  if (short === undefined)
    throw new Error(`No folder has a path that is short enough for the socket ${name}.`);
  await makePrivateFolder(path.dirname(short));
  return short;
}

function isShort(endpoint: string): boolean {
  return Buffer.byteLength(endpoint) <= SOCKET_PATH_MAX_BYTES;
}

/** Creates a folder that only this user can open. Checks owner and mode, because any user can create this folder in `/tmp`. */
async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const stats = await lstat(folder);
  const { uid, mode } = stats;
  if (!stats.isDirectory() || uid !== os.userInfo().uid || (mode & 0o077) !== 0) {
    throw new Error(
      `${folder} is not a folder that only this user can open. Remove it, or run "chmod 700" on it.`,
    );
  }
}

/**
 * Writes the note and replaces an older note. Only the holder of the running lock may call this, because
 * clients assume that the process in the note runs the autopilot.
 */
export async function publishNote(noteFile: string, note: EndpointNote): Promise<void> {
  const older = await readNote(noteFile);
  await replaceFile(noteFile, JSON.stringify(note));
  if (older !== null) await removeStaleSocket(older.endpoint);
}

/** Removes the note, unless another server has replaced it. */
export async function withdrawNote(noteFile: string, note: EndpointNote): Promise<void> {
  const current = await readNote(noteFile);
  if (current?.endpoint === note.endpoint) await rm(noteFile, { force: true });
}

/** The note; null where it is missing or malformed. */
export async function readNote(noteFile: string): Promise<EndpointNote | null> {
  let text: string;
  try {
    text = await readFile(noteFile, 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return null;
    // The note of an older Mai names no folders.
    const { endpoint, processId, modelFolders = [] } = value;
    if (typeof endpoint !== 'string' || typeof processId !== 'number') return null;
    if (!Array.isArray(modelFolders) || !modelFolders.every(isText)) return null;
    return { endpoint, processId, modelFolders };
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Removes the socket of a process that has crashed. A process that closes its server removes the socket itself. */
async function removeStaleSocket(endpoint: string): Promise<void> {
  // The note may name any file, so delete only a file with a name of `newEndpoint`.
  if (process.platform === 'win32' || !/^mai-[0-9a-f]+\.sock$/.test(path.basename(endpoint)))
    return;
  if (await refusesConnections(endpoint)) await rm(endpoint, { force: true });
}

function refusesConnections(endpoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(endpoint);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error) => {
      socket.destroy();
      resolve(errorCodeOf(error) === 'ECONNREFUSED');
    });
  });
}
