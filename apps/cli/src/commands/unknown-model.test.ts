import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import { runMai } from '../../test/run-mai.js';
import { COMMANDS } from '../command-line/command-table.js';

let simulator: Simulator;
let folder: string;

beforeEach(async () => {
  simulator = await startSimulator({ speed: 50, world: { machine: { gpus: [] } } });
  folder = await mkdtemp(path.join(tmpdir(), 'mai unknown '));
});
afterEach(async () => {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

const mai = (line: string) =>
  runMai([...line.split(' '), '--url', simulator.httpUrl], {
    cwd: folder,
    env: { NO_COLOR: '1' },
    homeFolder: folder,
    stdin: ['Hello'],
  });

/** A command line with a model key that names no model, and the code of its error. */
const LINES = [
  ['load acme/none', 'MODEL_NOT_FOUND'],
  ['load acme/none --dry-run', 'MODEL_NOT_FOUND'],
  ['unload acme/none', 'INSTANCE_NOT_FOUND'],
  ['unload acme/none --dry-run', 'INSTANCE_NOT_FOUND'],
  ['estimate acme/none', 'MODEL_NOT_FOUND'],
  ['estimate acme/none --measure', 'MODEL_NOT_FOUND'],
  ['pin acme/none', 'MODEL_NOT_FOUND'],
  ['pin acme/none --dry-run', 'MODEL_NOT_FOUND'],
  ['chat acme/none', 'MODEL_NOT_FOUND'],
  ['compare acme/none', 'MODEL_NOT_FOUND'],
  ['compare acme/none --require chat', 'MODEL_NOT_FOUND'],
  ['bench acme/none', 'MODEL_NOT_FOUND'],
] as const;

test('the lines are of all commands that take the key of a model', () => {
  const commands = COMMANDS.filter(({ arguments: taken = [], hidden = false }) =>
    // The names of pins are looked up among the pins.
    taken.some(({ name, completes }) => !hidden && /KEY|MODEL/.test(name) && completes !== 'pin'),
  );
  const tested = new Set(LINES.map(([line]) => line.split(' ')[0]));
  expect([...tested].sort()).toEqual(commands.map(({ name }) => name).sort());
});

test.each(LINES)('mai %s ends with 5, and the error names the key', async (line, code) => {
  const { exitCode, err } = await mai(line);
  expect(err).toContain('acme/none');
  expect(exitCode).toBe(5);
  const json = await mai(`${line} --json`);
  expect(json.exitCode).toBe(5);
  expect(JSON.stringify(json.json())).toContain(`"code":"${code}"`);
  expect(simulator.residents()).toEqual([]);
});

test('mai compare says whether a key is unknown or the model lacks a capability', async () => {
  const similar = await mai('compare qwen/qwen3-1.7');
  expect(similar.err).toContain('Did you mean qwen/qwen3-1.7b?');
  const lacking = await mai('compare qwen/qwen3-1.7b --require vision');
  expect(lacking.err).toContain('qwen/qwen3-1.7b does not have all of these capabilities: vision.');
  expect([similar.exitCode, lacking.exitCode]).toEqual([5, 2]);
});

test.each(['load', 'estimate', 'pin', 'chat', 'compare', 'bench'])(
  'mai %s suggests the downloaded model whose key is similar',
  async (command) => {
    const { exitCode, err } = await mai(`${command} qwen/qwen3-8`);
    expect(err).toContain('Did you mean qwen/qwen3-8b');
    expect(exitCode).toBe(5);
  },
);
