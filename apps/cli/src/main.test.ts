import { spawn, spawnSync, type StdioOptions } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Simulator } from '@mai/lmstudio-simulator';
import { startSimulator } from '@mai/lmstudio-simulator';
import { MAI, requireBuild } from '../test/built-program.js';

// The built program in its own process: `npm test` builds before it tests.

/** No program listens on this port. */
const NOBODY = ['--url', '127.0.0.1:9'];

let home: string;
/** The descriptor of /dev/full, where every write fails. Linux only; -1 elsewhere. */
let full: number;
beforeAll(() => {
  full = process.platform === 'linux' ? openSync('/dev/full', 'w') : -1;
  requireBuild();
  home = mkdtempSync(path.join(tmpdir(), 'mai child '));
});
afterAll(() => {
  if (full >= 0) closeSync(full);
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
  return withStdio('pipe', ...argv);
}

function withStdio(stdio: StdioOptions, ...argv: string[]) {
  return spawnSync(process.execPath, [MAI, ...argv], {
    cwd: home,
    env: environment(),
    encoding: 'utf8',
    stdio,
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

  test('the demo ends by itself', () => {
    const { status, stdout } = mai('demo', '--fast');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Step up: demo\/sequoia/);
  });

  // `ulimit -f` counts blocks of 512 bytes, or of 1024 in some shells: a file cannot get as long as the compiled program.
  (process.platform === 'win32' ? test.skip : test)(
    'where the disk is full, no part of the compiled program is left',
    () => {
      const cache = path.join(home, 'full');
      const shell = ['-c', 'ulimit -f 8; exec "$0" "$@"', process.execPath, MAI, 'config', 'path'];
      const env = { ...environment(), XDG_CACHE_HOME: cache, HOME: cache };
      const { status } = spawnSync('/bin/sh', shell, { cwd: home, env, encoding: 'utf8' });
      expect(status).toBe(0);
      const names = readdirSync(cache, { recursive: true, encoding: 'utf8' });
      expect(names.map((name) => path.basename(name))).toContain('compiled');
      expect(names.filter((name) => name.includes('.bin'))).toEqual([]);
    },
  );

  // Other systems have no such limit, and other versions of Node reserve other sizes.
  const reserves = process.platform === 'linux' && /^v20\./.test(process.version);
  (reserves ? test : test.skip).each([8, 16])(
    'with %i GiB of address space, mai serve ends at its start and says why',
    (gib) => {
      const serve = [MAI, 'serve', ...NOBODY, '--port', '0', '--json'];
      const limit = `ulimit -v ${gib * 2 ** 20}; exec "$0" "$@"`;
      const sh = spawnSync('/bin/sh', ['-c', limit, process.execPath, ...serve], {
        cwd: home,
        env: environment(),
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(sh.stdout + sh.stderr).toContain('ulimit -v unlimited');
      expect(sh.stdout).not.toContain('listening');
      expect(sh.status).toBe(2);
    },
  );

  const COMMANDS = [
    '--version',
    '--help',
    'bogus --json',
    'config schema',
    'completions zsh',
    'doctor',
    'models',
    'models --json',
    'status',
    'status --json',
    'status --watch',
    'select --quiet',
  ].map((line) => [line]);
  const argvOf = (line: string) => [...line.split(' '), ...(/^-/.test(line) ? [] : NOBODY)];

  test.each(COMMANDS)('`mai %s | head -0` ends with 0 and prints no error', async (line) => {
    const { child, ended } = start(...argvOf(line));
    child.stdout.destroy();
    const { exitCode, output } = await ended;
    expect(output).not.toMatch(/EPIPE|error|Cancelled|\n\s+at /);
    expect(exitCode).toBe(0);
  });

  // Only Linux has /dev/full.
  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux.each(COMMANDS)('`mai %s` on a full disk ends with 11 and one sentence', (line) => {
    const { status, stderr } = withStdio(['ignore', full, 'pipe'], ...argvOf(line));
    const told = stderr.split('\n').filter((text) => /error|warning|Cancelled|^ +at /.test(text));
    expect(told).toEqual([
      'error: The output cannot be written (OUTPUT_FAILED, ENOSPC). Free space on that disk, or write the output to another place.',
    ]);
    expect(status).toBe(11);
  });

  // The limit on the size of files stands for a full disk: a part of the text is written before the error.
  onLinux(
    '`mai config init` that fails half-way leaves no new file, and an old one as it was',
    () => {
      const init = (...argv: string[]) =>
        spawnSync(
          'sh',
          ['-c', 'trap "" XFSZ; ulimit -f 2; exec "$0" "$@"', process.execPath, MAI].concat(
            'config',
            'init',
            ...argv,
          ),
          { cwd: home, env: environment(), encoding: 'utf8' },
        );
      const fresh = init('fresh.yaml');
      expect(fresh.stderr).toMatch(
        /fresh\.yaml cannot be written \(EFBIG\)\. Name another place\./,
      );
      writeFileSync(path.join(home, 'old.yaml'), 'version: 1\n');
      expect([fresh.status, init('old.yaml', '--force').status]).toEqual([11, 11]);
      expect(readFileSync(path.join(home, 'old.yaml'), 'utf8')).toBe('version: 1\n');
      expect(readdirSync(home).filter((name) => /^(fresh|old)/.test(name))).toEqual(['old.yaml']);
    },
  );

  onLinux('names a current folder that was removed, where a command needs it', () => {
    const script = 'mkdir "$0/gone" && cd "$0/gone" && rmdir "$0/gone" && exec "$@"';
    const gone = (...argv: string[]) => {
      const args = ['-c', script, home, process.execPath, MAI, ...argv];
      return spawnSync('sh', args, { env: environment(), encoding: 'utf8' });
    };
    const message =
      'The current folder does not exist any more. Change to another folder, then run the command again.';
    expect(gone('status')).toMatchObject({ status: 2, stdout: '', stderr: `error: ${message}\n` });
    const json = gone('status', '--json');
    expect([json.status, json.stderr]).toEqual([2, '']);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'USAGE', message } });
    expect(gone('--help').status).toBe(0);
  });

  onLinux('prints its result where stderr is full', () => {
    const { status, stdout } = withStdio(['ignore', 'pipe', full], 'models', ...NOBODY);
    expect([status, stdout]).toEqual([0, 'No model is downloaded.\n']);
    expect(withStdio(['ignore', full, full], 'models', ...NOBODY).status).toBe(11);
  });

  test('prints its result even if nobody reads stderr', async () => {
    const { child, ended } = start('models', ...NOBODY);
    child.stderr.destroy();
    expect(await ended).toEqual({ exitCode: 0, output: 'No model is downloaded.\n' });
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

  test('behaves the same with cached code of an earlier run, and with a damaged cache file', () => {
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
