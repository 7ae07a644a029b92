import {
  chmod,
  chown,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { ClientSettingsError } from '../client-settings-error.js';
import { joinPath, type Machine } from '../clients/client.js';

/**
 * The text of a file, with its byte order mark. Null: it does not exist.
 *
 * @throws ClientSettingsError `FILE_UNUSABLE`, and `FILE_INVALID` for a file in another encoding than UTF-8, whose
 *   characters would be lost when the file is written again
 */
export async function readText(file: string): Promise<string | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw unusable(file, 'read', error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ClientSettingsError(
      'FILE_INVALID',
      `${file} is not a text in UTF-8. Save it as UTF-8, then run the command again.`,
      { cause: error },
    );
  }
}

/** Whether a file or folder exists. The last name of the path may end with `*`. */
export async function exists(file: string): Promise<boolean> {
  if (file.endsWith('*')) {
    const start = path.basename(file).slice(0, -1);
    const names = await readdir(path.dirname(file)).catch(() => []);
    return names.some((name) => name.startsWith(start));
  }
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Whether a program is on the PATH. */
export async function isOnPath(machine: Machine, program: string): Promise<boolean> {
  const windows = machine.platform === 'win32';
  const folders = (machine.env['PATH'] ?? machine.env['Path'] ?? '').split(windows ? ';' : ':');
  const endings = windows ? ['.exe', '.cmd', '.ps1'] : [''];
  const files = folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => endings.map((ending) => joinPath(machine, folder, program + ending)));
  return (await Promise.all(files.map(exists))).includes(true);
}

/**
 * Writes a file atomically: a reader sees the old or the new text. Follows a symbolic link, so that a link into a folder of
 * dotfiles stays a link. A new file may hold an API key, so only its owner can read it. Where root writes, as with sudo, the file keeps
 * its owner, and a new file gets the owner of its folder: otherwise the client could not read its own settings.
 *
 * @param newMode - the permissions of the written file from those of the present one. Default: they stay
 * @throws ClientSettingsError `FILE_UNUSABLE`
 */
export async function replaceText(
  file: string,
  text: string,
  newMode = (mode: number): number => mode,
): Promise<void> {
  let draft: string | null = null;
  try {
    const target = await targetOf(file);
    await mkdir(path.dirname(target), { recursive: true });
    const present = await modeOf(target);
    const mode = present === null ? 0o600 : newMode(present);
    await removeDrafts(target);
    draft = `${target}.${process.pid}.tmp`;
    await writeFile(draft, text, { mode });
    // The umask may have removed permissions.
    await chmod(draft, mode);
    await giveToOwnerOf(present === null ? path.dirname(target) : target, draft);
    await rename(draft, target);
  } catch (error) {
    // The draft may lack a part of the text, for example because the disk is full.
    if (draft !== null) await rm(draft, { force: true }).catch(() => undefined);
    throw unusable(file, 'written', error);
  }
}

/** Only root can give a file away. Other users own what they write. */
async function giveToOwnerOf(model: string, file: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(model);
  await chown(file, uid, gid);
}

/** A write takes milliseconds. The process of an older draft was killed. */
const STALE_MS = 3_600_000;

/** Removes the drafts of a file that killed processes have left. A draft may hold an API key. */
async function removeDrafts(file: string): Promise<void> {
  const folder = path.dirname(file);
  const start = `${path.basename(file)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(start) || !/^\d+\.tmp$/.test(name.slice(start.length))) continue;
    const draft = path.join(folder, name);
    const changed = await stat(draft).catch(() => null);
    if (changed !== null && Date.now() - changed.mtimeMs > STALE_MS)
      await rm(draft, { force: true });
  }
}

/**
 * Checks that nobody has made a file read-only. A write by way of a new file would not notice it.
 *
 * @throws ClientSettingsError `FILE_UNUSABLE`
 */
export async function checkWritable(file: string): Promise<void> {
  const mode = await modeOf(file);
  if (mode === null || (mode & 0o200) !== 0) return;
  throw new ClientSettingsError(
    'FILE_UNUSABLE',
    `${file} is read-only. Allow its owner to write it, then run the command again. A program that manages the file, such as Home Manager, must make the change itself.`,
  );
}

/**
 * Checks that a file has the text that a plan was made from. A client may write its settings itself meanwhile.
 *
 * @param before - null: the file did not exist
 * @throws ClientSettingsError `FILE_CHANGED`, `FILE_UNUSABLE`, `FILE_INVALID`
 */
export async function checkUnchanged(file: string, before: string | null): Promise<void> {
  if ((await readText(file)) === before) return;
  throw new ClientSettingsError(
    'FILE_CHANGED',
    `${file} was changed by another program meanwhile, so nothing was written. Run the command again.`,
  );
}

/** At most reading and writing by the owner. A permission that the owner does not have is not added. */
export function ownerOnly(mode: number): number {
  return mode & 0o600;
}

/**
 * Takes the permissions of a file from everybody but its owner. Its text stays.
 *
 * @throws ClientSettingsError `FILE_UNUSABLE`
 */
export async function restrictToOwner(file: string): Promise<void> {
  try {
    const { mode } = await stat(file);
    await chmod(file, ownerOnly(mode));
  } catch (error) {
    throw unusable(file, 'made private', error);
  }
}

/** The permissions of a file: nine bits. Null: it does not exist. */
export async function modeOf(file: string): Promise<number | null> {
  return stat(file).then(
    ({ mode }) => mode & 0o777,
    () => null,
  );
}

/** The file that a symbolic link names, also where that file does not exist yet. Without a link: the file. */
async function targetOf(file: string): Promise<string> {
  let target = file;
  for (let links = 0; links < LINKS_MAX; links += 1) {
    const named = await readlink(target).catch(() => null);
    if (named === null) return target;
    target = path.resolve(path.dirname(target), named);
  }
  return target;
}

/** Maximum number of symbolic links that are followed, because links can form a circle. Linux has the same bound. */
const LINKS_MAX = 40;

/** Writes a new file that only its owner can read. Fails if the file exists. */
export async function createText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
    await giveToOwnerOf(path.dirname(file), file);
  } catch (error) {
    throw unusable(file, 'written', error);
  }
}

/** Removes a file, if it exists. A symbolic link stays: the file that it names is removed. */
export async function removeFile(file: string): Promise<void> {
  try {
    await rm(await targetOf(file), { force: true });
  } catch (error) {
    throw unusable(file, 'removed', error);
  }
}

function unusable(file: string, action: string, error: unknown): ClientSettingsError {
  const code = codeOf(error) ?? 'unknown error';
  const advice =
    code === 'EEXIST' ? 'Move it away, then run the command again.' : 'Check its permissions.';
  return new ClientSettingsError(
    'FILE_UNUSABLE',
    `${file} cannot be ${action} (${code}). ${advice}`,
    {
      cause: error,
    },
  );
}

function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
