import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorCodeOf } from '../guards.js';

/** More than any manifest or settings file has. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads a text file of a store. Null where the file does not exist.
 *
 * @throws the system's error, and an error with the code `NOT_A_FILE` or `TOO_LARGE`
 */
export async function readSmallFile(path: string): Promise<string | null> {
  let file;
  try {
    // Without O_NONBLOCK, opening a named pipe waits until another process writes to it. Windows lacks the flag.
    const { O_NONBLOCK = 0 }: Partial<typeof constants> = constants;
    file = await open(path, constants.O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
  await using opened = file;
  const found = await opened.stat();
  if (!found.isFile()) throw withCode('NOT_A_FILE', `${path} is not a file.`);
  if (found.size > MAX_BYTES) throw withCode('TOO_LARGE', `${path} is larger than 1 MiB.`);
  return opened.readFile('utf8');
}

function withCode(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
