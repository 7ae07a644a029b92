import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectSdk, rejection } from '../../test/connect-sdk.js';
import { runCli } from './cli.js';
import { startSimulator } from '../index.js';
import type { Simulator } from '../index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'simulated world '));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<{
  readonly outcome: Simulator | number;
  readonly out: string[];
  readonly err: string[];
}> {
  const out: string[] = [];
  const err: string[] = [];
  const outcome = await runCli(args, {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
  });
  return { outcome, out, err };
}

async function running(...args: string[]): Promise<{ simulator: Simulator; out: string[] }> {
  const { outcome, out, err } = await run(...args);
  if (typeof outcome === 'number') throw new Error(err.join(''));
  return { simulator: outcome, out };
}

test('prints its address, its machine and its models', async () => {
  const { simulator, out } = await running('--world', 'laptop');
  await using _ = simulator;
  expect(out.join('')).toContain(simulator.baseUrl);
  expect(out.join('')).toContain('simulated-laptop: 16.0 GiB of RAM\n');
  expect(out.join('')).toMatch(/qwen\/qwen3-4b +2\.3 GiB/);
});

test('--json prints the address first, then each frame', async () => {
  const { simulator, out } = await running('--json', '--speed', '100');
  await using _ = simulator;
  await using connection = connectSdk(simulator.baseUrl);
  await connection.client.system.getLMStudioVersion();
  const lines = out.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({ event: 'listening', port: simulator.port });
  expect(lines.slice(1).map(({ direction }) => direction)).toEqual([
    'received',
    'sent',
    'received',
    'sent',
  ]);
});

test('a world can be a file, and a fault a name or JSON', async () => {
  const file = path.join(folder, 'world.json');
  writeFileSync(file, JSON.stringify({ models: [{ modelKey: 'only', sizeBytes: 1e9 }] }));
  const crash = '{"type":"crash-load","modelKey":"other"}';
  const { simulator } = await running('--world', file, '--fault', 'refuse-load', '--fault', crash);
  await using _ = simulator;
  await using connection = connectSdk(simulator.baseUrl);
  const error = await rejection(connection.client.llm.load('only', { verbose: false }));
  expect(error.message).toMatch(/insufficient system resources/);
});

test('--help lists the options and every fault', async () => {
  const { outcome, out } = await run('--help');
  expect(outcome).toBe(0);
  for (const word of ['--discoverable', 'crash-load', 'not-lm-studio', 'workstation']) {
    expect(out.join('')).toContain(word);
  }
});

test.each([
  [['--port', 'high'], '--port must be a number from 0 to 65535, not "high"'],
  [['--port', '70000'], '--port must be a number from 0 to 65535, not "70000"'],
  [['--speed', '0'], '--speed must be a number above 0, not "0"'],
  [['--nonsense'], '--nonsense'],
  [
    ['--profile', 'ancient'],
    '--profile "ancient" is not known. Use one of: current, old, lmstudio@',
  ],
  [
    ['--world', 'no-such-world'],
    '--world "no-such-world" is neither an example world nor a file that can be read',
  ],
  [['--fault', 'explode'], 'The fault is not valid'],
  [['--fault', '{oops'], '--fault {oops is not valid JSON'],
] as const)('%j is refused with one message and status 2', async (args, message) => {
  const { outcome, out, err } = await run(...args);
  expect([outcome, out]).toEqual([2, []]);
  expect(err.join('')).toContain(message);
  expect(err.join('')).not.toContain('    at ');
});

test('an invalid world file is refused with its name or with the invalid field', async () => {
  const file = path.join(folder, 'broken.json');
  writeFileSync(file, '{');
  expect((await run('--world', file)).err.join('')).toContain(`${file} is not valid JSON`);
  writeFileSync(file, '{"modles":[]}');
  expect((await run('--world', file)).err.join('')).toContain('modles');
});

test('a port that is in use ends with status 1', async () => {
  await using simulator = await startSimulator();
  const { outcome, err } = await run('--port', String(simulator.port));
  expect(outcome).toBe(1);
  expect(err.join('')).toContain('Choose another port');
});
