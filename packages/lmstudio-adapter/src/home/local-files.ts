// Reads synchronously: most of the files are absent, and asking for each through Node's thread
// pool would take longer than the rest of connecting.
import { readFileSync, statSync } from 'node:fs';

/** A JSON file; `undefined` where it is absent, cannot be read or is not JSON. */
export function readJson(file: string): unknown {
  const text = readText(file);
  if (text === null) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** A text file; `null` where it is absent or cannot be read. */
export function readText(file: string): string | null {
  try {
    // Checks first, because most files are absent, and a check is a hundred times as fast as an exception.
    // Reading a named pipe would wait for a writer.
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return null;
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Whether a path leads to a folder. */
export function isDirectory(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
