import { mkdir, lstat, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { isRecord } from './encode-value.js';

/**
 * Where the process that runs the autopilot listens. The note, a file with a fixed path in the autopilot's folder, names
 * the endpoint: a Unix socket, or a named pipe on Windows. The endpoint itself has a random name, for three reasons. A
 * new holder needs not remove the socket of a crashed one first; closing an old server can't remove the socket of a new
 * one; and no other user can take a pipe's name in advance.
 */
export interface EndpointNote {
  readonly endpoint: string;
  /** The process that listens. */
  readonly processId: number;
}

/** macOS allows 104 bytes with the final zero, Linux 108. */
const SOCKET_PATH_MAX_BYTES = 100;
const RANDOM_CHARACTERS = 12;

/**
 * A new endpoint for the server whose note is `noteFile`: in the same folder, or, where the socket's path would be too
 * long for the system, in a folder for temporary files that only this user can open.
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
  if (short === undefined) throw new Error(`No folder has a path short enough for ${name}.`);
  await makePrivateFolder(path.dirname(short));
  return short;
}

function isShort(endpoint: string): boolean {
  return Buffer.byteLength(endpoint) <= SOCKET_PATH_MAX_BYTES;
}

/** The folder lies where everybody may write, so another user may have made it first. */
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
 * Makes `note` the one that clients find, in place of an older one. The holder of the running lock calls this, so the
 * last one to call is the one that counts.
 */
export async function publishNote(noteFile: string, note: EndpointNote): Promise<void> {
  const older = await readNote(noteFile);
  const temporary = `${noteFile}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(temporary, JSON.stringify(note), { mode: 0o600, flag: 'wx' });
    await rename(temporary, noteFile);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (older !== null) await removeStaleSocket(older.endpoint);
}

/** Removes the note, unless another server has put its own there. */
export async function withdrawNote(noteFile: string, note: EndpointNote): Promise<void> {
  const current = await readNote(noteFile);
  if (current?.endpoint === note.endpoint) await rm(noteFile, { force: true });
}

/** The note; null where there is none, or it can't be understood. */
export async function readNote(noteFile: string): Promise<EndpointNote | null> {
  let text: string;
  try {
    text = await readFile(noteFile, 'utf8');
  } catch (error) {
    if (isRecord(error) && error['code'] === 'ENOENT') return null;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return null;
    const { endpoint, processId } = value;
    if (typeof endpoint !== 'string' || typeof processId !== 'number') return null;
    return { endpoint, processId };
  } catch {
    return null;
  }
}

/** A process that crashed leaves its socket; one that lives removes its own when it closes. */
async function removeStaleSocket(endpoint: string): Promise<void> {
  // Only a name that this module gives: the note is a file that anything may have written.
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
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.destroy();
      resolve(error.code === 'ECONNREFUSED');
    });
  });
}
