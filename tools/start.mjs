// `npm start`: installs what is missing, builds `mai` and runs its main job.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './ensure-installed.mjs';

ensureInstalled();
const { nx } = await import('./nx.mjs');
nx(['run', '@mai/cli:bundle', '--outputStyle=static']);

const mai = fileURLToPath(new URL('../apps/cli/bin/mai.js', import.meta.url));
const { status, signal } = spawnSync(process.execPath, [mai, 'start', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// The output names the command `mai`, which a clone does not put on the PATH.
if (status === 0) console.error('In this folder, write `npx mai` instead of `mai`.');
process.exitCode = status ?? (signal === 'SIGINT' ? 130 : 1);
