import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Machine } from '../src/index.js';

/** A Linux machine whose home folder is a real, empty folder. Removed when the test ends. */
export function temporaryHome(env: Readonly<Record<string, string>> = {}): Machine & Disposable {
  const homeFolder = mkdtempSync(path.join(tmpdir(), 'mai-home-'));
  return {
    platform: 'linux',
    homeFolder,
    env,
    [Symbol.dispose]: () => rmSync(homeFolder, { recursive: true, force: true }),
  };
}
