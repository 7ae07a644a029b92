// Repeats the first steps of a newcomer: a fresh clone in a folder with a space in its name, `npm ci`, `npm
// start`, `npx mai`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, run } from './workspace.mjs';

const parent = mkdtempSync(path.join(tmpdir(), 'mai clone '));
const clone = path.join(parent, 'fresh clone');
// The clone uses no cache and no setting of the surrounding run.
const env = { ...process.env, NX_WORKSPACE_ROOT_PATH: '', NO_COLOR: '1' };
try {
  run('git', ['clone', '--quiet', root, clone]);
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: clone });
  run('npm', ['start'], { cwd: clone, env });
  run('npx', ['--no-install', 'mai', '--version'], { cwd: clone, env });
  run('git', ['diff', '--exit-code', '--stat'], { cwd: clone });
  console.log('A clean clone installs, starts and stays clean.');
} finally {
  rmSync(parent, { recursive: true, force: true });
}
