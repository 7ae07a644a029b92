import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Simulator } from '@mai/lmstudio-simulator';
import { startSimulator } from '@mai/lmstudio-simulator';

// The built program in its own process: `npm test` builds before it tests.
const MAI = path.join(__dirname, '..', 'bin', 'mai.js');

let home: string;
beforeAll(() => {
  if (!existsSync(path.join(__dirname, '..', 'dist', 'main.cjs')))
    throw new Error('Not built: npm run build.');
  home = mkdtempSync(path.join(tmpdir(), 'mai child '));
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

const environment = () => ({
  ...process.env,
  HOME: home,
  USERPROFILE: home,
  NO_COLOR: '1',
  MAI_LMSTUDIO_URL: '',
  MAI_CONFIG: '',
});

function mai(...argv: string[]) {
  return spawnSync(process.execPath, [MAI, ...argv], {
    cwd: home,
    env: environment(),
    encoding: 'utf8',
  });
}

function start(...argv: string[]) {
  const child = spawn(process.execPath, [MAI, ...argv], { cwd: home, env: environment() });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<{ exitCode: number | null; output: string }>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, output }));
  });
  return { child, ended };
}

describe('the built program', () => {
  test('prints the version of its manifest', () => {
    const { version } = JSON.parse(
      readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8'),
    ) as { version: string };
    for (const flag of ['--version', '-V']) {
      expect(mai(flag)).toMatchObject({ status: 0, stdout: `mai ${version}\n`, stderr: '' });
    }
    expect(mai('status', '--version').stdout).toBe(`mai ${version}\n`);
  });

  test.each([
    [['--help'], 0],
    [['status', '--url', '127.0.0.1:9'], 0],
    [['doctor', '--url', '127.0.0.1:9'], 0],
    [['bogus'], 2],
    [['select', '--config', 'nowhere.yaml'], 2],
    [['select', '--url', '127.0.0.1:9'], 3],
    [['load', 'x', '--url', '127.0.0.1:9'], 4],
    [['estimate', 'nowhere.gguf'], 7],
  ])('%j ends with %d, without a stack trace', (argv, status) => {
    const result = mai(...argv);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.status).toBe(status);
  });

  test('the demo plays and ends by itself', () => {
    const { status, stdout } = mai('demo', '--fast');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Step up: demo\/sequoia/);
  });

  test('ends with 0 when the reader closes the pipe', async () => {
    const { child, ended } = start('config', 'schema');
    child.stdout.destroy();
    expect((await ended).output).not.toMatch(/EPIPE|error|\n\s+at /);
  });

  describe('with LM Studio', () => {
    let simulator: Simulator;
    beforeEach(async () => {
      simulator = await startSimulator();
    });
    afterEach(async () => {
      await simulator.stop();
    });

    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('%s during a load ends with %d and leaves nothing loaded', async (signal, code) => {
      simulator.fault.stallLoad({ atProgress: 0.3 });
      const { child, ended } = start('load', 'qwen/qwen3-4b', '--url', simulator.httpUrl);
      await simulator.seen('loadModel');
      child.kill(signal);
      const { exitCode, output } = await ended;
      expect(output).toMatch(/Cancelled\.\n$/);
      expect(exitCode).toBe(code);
      expect(simulator.residents()).toEqual([]);
    });

    test('SIGINT during `select --load` loads the previous model again', async () => {
      simulator.fault.stallLoad({ atProgress: 0.3 });
      const { child, ended } = start(
        'select',
        '--tier',
        'small',
        '--load',
        '--url',
        simulator.httpUrl,
      );
      await simulator.seen('loadModel');
      child.kill('SIGINT');
      expect((await ended).exitCode).toBe(130);
      expect(simulator.residents()).toEqual([]);
    });

    test('leaves no connection open', async () => {
      const { ended } = start('status', '--url', simulator.httpUrl);
      expect((await ended).exitCode).toBe(0);
      expect(simulator.connections()).toBe(0);
    });
  });

  test('behaves the same with compiled code of an earlier run, and with a damaged file', () => {
    const cache = mkdtempSync(path.join(home, 'cache '));
    const run = () =>
      spawnSync(process.execPath, [MAI, 'config', 'path'], {
        cwd: home,
        env: { ...environment(), XDG_CACHE_HOME: cache, LOCALAPPDATA: cache, HOME: cache },
        encoding: 'utf8',
      });
    const first = run();
    expect(first.status).toBe(0);
    expect(run()).toMatchObject({ status: 0, stderr: first.stderr, stdout: first.stdout });
    const files = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const { parentPath, name } of files) writeFileSync(path.join(parentPath, name), 'damaged');
    expect(run()).toMatchObject({ status: 0, stderr: first.stderr, stdout: first.stdout });
  });
});
