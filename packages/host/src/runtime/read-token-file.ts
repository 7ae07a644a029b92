import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf } from '../guards.js';
import { HostError } from '../host-error.js';

/** Reads LM Studio's API token. @throws HostError for a file that cannot be read or is empty */
export async function readTokenFile(file: string, cwd: string): Promise<string> {
  const resolved = path.resolve(cwd, file);
  let text: string;
  try {
    text = await readFile(resolved, 'utf8');
  } catch (error) {
    throw new HostError(
      'INVALID_REQUEST',
      `The token file ${resolved} cannot be read (${errorCodeOf(error) ?? 'unknown error'}). Check --api-token-file.`,
      { cause: error },
    );
  }
  if (text.trim() === '') {
    throw new HostError(
      'INVALID_REQUEST',
      `The token file ${resolved} is empty. Put one LM Studio API token into it.`,
    );
  }
  return text.trim();
}
