import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MAI, requireBuild } from '../test/built-program.js';
import { writeTinyModel } from '../test/tiny-gguf.js';

let home: string;
beforeAll(() => {
  requireBuild();
  home = mkdtempSync(path.join(tmpdir(), 'mai compiled '));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The time at which each file of compiled code was written. */
function writtenAt(): Readonly<Record<string, number>> {
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.bin'))
    .map((name) => [name, statSync(path.join(home, name)).mtimeMs] as const);
  return Object.fromEntries(files);
}

function run(...argv: string[]): void {
  const env = { ...process.env, HOME: home, USERPROFILE: home, LOCALAPPDATA: home };
  const { status } = spawnSync(process.execPath, [MAI, ...argv], {
    cwd: home,
    env: { ...env, XDG_CACHE_HOME: home, MAI_CONFIG: '' },
  });
  // The tiny model lacks a vocabulary: its memory is estimated, and the status says that no engine loads it.
  expect(status).toBe(7);
}

// V8 refuses compiled code that was stored under other flags, so code that sets a flag makes it be stored again in each run.
test('the compiled code of the first run is good for the second, also where it reads the header of a model', () => {
  writeTinyModel(path.join(home, 'models', 'model.gguf'));
  run('estimate', 'models/model.gguf');
  const first = writtenAt();
  expect(Object.keys(first).map((name) => path.basename(name))).toContain(
    'estimate-main-headers.cjs.bin',
  );
  run('estimate', 'models/model.gguf');
  expect(writtenAt()).toEqual(first);
});
