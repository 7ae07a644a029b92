import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Inspector } from './inspect.js';
import { realWorld, type RealWorld } from '../../test/real-world.js';
import { vectorInstructionsOf } from './build-facts.js';
import type { InstalledEngine } from './survey.js';

const ENGINE: InstalledEngine = {
  format: 'gguf',
  name: 'llama.cpp-linux-x64-cpu',
  version: '1',
  backend: 'cpu',
  threads: 1,
};
const SIGNAL = new AbortController().signal;
/** Every build for Arm uses vector instructions, so nothing is asked there. */
const isArm = process.arch === 'arm64';

let world: RealWorld;
beforeAll(async () => {
  world = await realWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function temporaryFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'build-facts-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** An inspector that counts its calls and always gives the same answer. */
function answering(systemInfo: string | null) {
  const asked = { count: 0 };
  const inspector: Pick<Inspector, 'systemInfo'> = {
    systemInfo: () => {
      asked.count += 1;
      return Promise.resolve(systemInfo);
    },
  };
  return { asked, inspector };
}

test('llama.cpp names the instructions of its build before a model is loaded', async () => {
  await using runtime = await world.open();
  const [engine] = await runtime.selectedEngines();
  expect(typeof engine?.vectorInstructions).toBe('boolean');
  expect(engine?.threads).toBeGreaterThan(0);
  expect(await runtime.listResidents()).toEqual([]);
  const inspector = new Inspector(world.programs.scripts.inspect);
  expect(await inspector.systemInfo()).toMatch(/^system_info: n_threads = 1 .*CPU : /);
});

test('a binding that crashes leaves the question open', async () => {
  await using temporary = await temporaryFolder();
  const script = path.join(temporary.folder, 'crash.mjs');
  await writeFile(script, "process.on('message', () => process.kill(process.pid, 'SIGSEGV'));");
  expect(await new Inspector(script).systemInfo()).toBeNull();
});

test('a cancelled question rejects with its reason', async () => {
  const inspector = new Inspector(world.programs.scripts.inspect);
  await expect(inspector.systemInfo(AbortSignal.abort())).rejects.toThrow('aborted');
});

(isArm ? describe.skip : describe)('the answer of a build', () => {
  const noVectors = 'system_info: n_threads = 1 / 2 | CPU : LLAMAFILE = 1 | ';

  test('is kept for the other processes of this user, until the build changes', async () => {
    await using temporary = await temporaryFolder();
    const state = path.join(temporary.folder, 'state');
    const { asked, inspector } = answering(noVectors);
    expect(await vectorInstructionsOf(ENGINE, inspector, state)(SIGNAL)).toBe(false);
    expect(await vectorInstructionsOf(ENGINE, inspector, state)(SIGNAL)).toBe(false);
    expect(asked.count).toBe(1);
    const newer = { ...ENGINE, version: '2' };
    const other = answering('system_info: n_threads = 1 / 2 | CPU : AVX2 = 1 | ');
    expect(await vectorInstructionsOf(newer, other.inspector, state)(SIGNAL)).toBe(true);
  });

  test('that is damaged in its file is asked for again', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'build-facts');
    await writeFile(file, '{"build":');
    const { inspector } = answering(noVectors);
    expect(await vectorInstructionsOf(ENGINE, inspector, temporary.folder)(SIGNAL)).toBe(false);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ vectorInstructions: false });
  });

  test('that is missing is asked for once in a process, and is not kept', async () => {
    await using temporary = await temporaryFolder();
    const { asked, inspector } = answering(null);
    const ask = vectorInstructionsOf(ENGINE, inspector, temporary.folder);
    expect([await ask(SIGNAL), await ask(SIGNAL)]).toEqual([null, null]);
    expect(asked.count).toBe(1);
    expect(await readdir(temporary.folder)).toEqual([]);
  });

  test('works where the folder for temporary files can not be written', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'file');
    await writeFile(file, '');
    const { inspector } = answering(noVectors);
    expect(await vectorInstructionsOf(ENGINE, inspector, file)(SIGNAL)).toBe(false);
  });
});
