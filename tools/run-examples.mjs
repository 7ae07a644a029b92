// Runs every program of the folder `examples` in the current folder against a simulated LM Studio. Stops at
// the first program that fails. Imports the packages only by their names, so that it also works with
// installed tarballs.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator } from '@mai/lmstudio-simulator';

const LINES_MAX = 25;
const ARGUMENTS = { 'keep-the-best-loaded.mjs': ['--once'] };

for (const name of readdirSync('examples').filter((file) => file.endsWith('.mjs'))) {
  const file = path.join('examples', name);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length;
  if (lines > LINES_MAX)
    throw new Error(`${file} has ${lines} lines, but at most ${LINES_MAX} are allowed.`);
  const data = mkdtempSync(path.join(tmpdir(), 'mai-example-'));
  const simulator = await startSimulator({ speed: 1000 });
  try {
    const status = await run([file, ...(ARGUMENTS[name] ?? [])], {
      ...process.env,
      MAI_LMSTUDIO_URL: simulator.baseUrl,
      // A home folder of its own, so that the examples do not change this user's files.
      HOME: data,
      USERPROFILE: data,
      XDG_DATA_HOME: data,
      XDG_CONFIG_HOME: data,
      APPDATA: data,
      LOCALAPPDATA: data,
    });
    if (status !== 0) throw new Error(`${file} ended with ${status}.`);
  } finally {
    await simulator.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

function run(args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit', env });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? signal));
  });
}
