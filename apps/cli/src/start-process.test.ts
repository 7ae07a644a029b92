import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findEngine } from '@mai/llama-runtime';
import { MAI } from '../test/built-program.js';

// The built program, on a machine without LM Studio and without models.

jest.setTimeout(120_000);

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'mai-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `mai start`. `limit`: commands of a shell that limit what the program can do. */
function start(limit: string, env: Readonly<Record<string, string>> = {}) {
  const command = `${limit}\nexec "$0" "$@"`;
  const argv = ['-c', command, process.execPath, MAI, 'start', '--fast'];
  mkdirSync(path.join(folder, 'tmp'));
  const child = spawn('/bin/sh', argv, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      TMPDIR: path.join(folder, 'tmp'),
      NO_COLOR: '1',
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
      XDG_CACHE_HOME: folder,
      ...env,
    },
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return new Promise<{ exitCode: number | null; out: string }>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, out }));
  });
}

const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix('without the npm package of the engine, the demo is simulated', async () => {
  const hide = path.join(folder, 'hide.cjs');
  writeFileSync(
    hide,
    `const Module = require('node:module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (/^@fugood[/]/.test(name)) throw Object.assign(new Error(name), { code: 'MODULE_NOT_FOUND' });
  return resolve.call(this, name, ...rest);
};`,
  );
  const { exitCode, out } = await start(':', { NODE_OPTIONS: `--require ${hide}` });
  expect(exitCode).toBe(0);
  expect(out).toMatch(
    /No engine can load a model here, so this demo is simulated\.\s\(.*is\snot\sinstalled/s,
  );
  expect(out).toContain('The demo is over.');
});

onPosix(
  'where the models of the demo cannot be written, the demo is simulated, and no file is left',
  async () => {
    if ((await findEngine()) === null) return;
    // Writing stops after 10 MiB, as on a full disk.
    const { exitCode, out } = await start('ulimit -f 20480');
    expect(exitCode).toBe(0);
    expect(out).toMatch(
      /The demo with real models cannot run here, so it is simulated:\sno\sdisk\shas\s1\.3\sGiB/s,
    );
    expect(out).toContain('The demo is over.');
    expect(readdirSync(path.join(folder, 'tmp'))).toEqual([]);
  },
);
