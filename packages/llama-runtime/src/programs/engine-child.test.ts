import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { TestEngines, specOf } from '../../test/engine-client.js';
import { runs, until } from '../../test/processes.js';
import type { FromEngine } from '../process/messages.js';
import { filesOfModel } from '../engine/read-model-file.js';

const engines = new TestEngines();
let file = '';
beforeAll(async () => {
  await engines.open();
  file = await engines.writeModel('tiny');
}, 60_000);
afterAll(() => engines.close());

describe('The process of an engine', () => {
  it('reports the share of the file that was read, then the facts of the model', async () => {
    const { messages, facts } = await engines.start(file);
    const ratios = messages.flatMap((message) =>
      message.type === 'progress' ? [message.ratio] : [],
    );
    expect(ratios).toEqual([...ratios].sort((a, b) => a - b));
    expect(ratios.at(-1)).toBe(1);
    expect(facts).toMatchObject({
      contextLengthTokens: 1024,
      toolUse: true,
      vision: false,
      flashAttention: true,
    });
    expect(facts.bufferLines.join('\n')).toMatch(/KV buffer size.*\n[^]*compute buffer size/);
    expect(facts.bufferLines.join('\n')).toContain('2048 cells');
  });

  it.each([
    [true, true],
    [false, false],
  ])('takes flash attention %p from its settings', async (flashAttention, expected) => {
    const { facts } = await engines.start(file, { flashAttention });
    expect(facts.flashAttention).toBe(expected);
  });

  it('answers `failed` where the file is missing, and ends with code 1', async () => {
    const child = engines.fork();
    const told = once(child, 'message');
    const exit = once(child, 'exit');
    child.send({ type: 'load', spec: specOf('/nowhere/model.gguf') });
    const [message]: FromEngine[] = await told;
    expect(message).toMatchObject({ type: 'failed', outOfMemory: false });
    expect(await exit).toEqual([1, null]);
  });

  it('says on its error output why llama.cpp refused the file, where the binding ends the process', async () => {
    const broken = `${file}.broken.gguf`;
    await writeFile(broken, 'GGUF and nothing that follows from it');
    const child = engines.fork();
    let output = '';
    child.stderr?.on('data', (text) => {
      output += String(text);
    });
    child.send({ type: 'load', spec: specOf(broken) });
    await once(child, 'close');
    expect(output).toMatch(/failed to load model/);
  });

  it('ends with code 0 when it is told to stop', async () => {
    const { child } = await engines.start(file);
    const exit = once(child, 'exit');
    child.send({ type: 'stop' });
    expect(await exit).toEqual([0, null]);
  });

  it('ends when its parent closes the channel', async () => {
    const { child } = await engines.start(file);
    const exit = once(child, 'exit');
    child.disconnect();
    expect(await exit).toEqual([null, 'SIGKILL']);
  });
});

const itOnPosix = process.platform === 'win32' ? it.skip : it;

describe('The watch on the parent', () => {
  itOnPosix(
    'ends a process within a second after its parent was killed, although its main thread is blocked',
    async () => {
      const root = path.join(__dirname, '../../../../node_modules/.cache');
      await mkdir(root, { recursive: true });
      const folder = await mkdtemp(path.join(root, 'mai-watch-'));
      const script = path.join(folder, 'blocked.cjs');
      await build({
        stdin: {
          contents: `import { watchParent } from './parent-watch.js';
          watchParent().then(() => {
            require('node:fs').writeSync(1, String(process.pid) + '\\n');
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
          });`,
          resolveDir: __dirname,
        },
        outfile: script,
        bundle: true,
        format: 'cjs',
        platform: 'node',
        target: 'node20',
      });
      const source = `require('node:child_process').spawn(process.execPath, [${JSON.stringify(script)}], { stdio: 'inherit' }); setInterval(() => {}, 1000);`;
      const parent = spawn(process.execPath, ['-e', source], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = await once(parent.stdout, 'data');
      const pid = Number(String(line));
      expect(await runs(pid)).toBe(true);
      parent.kill('SIGKILL');
      await until('the blocked process is gone', async () => !(await runs(pid)), 1000);
      await rm(folder, { recursive: true });
    },
  );
});

describe('The files of a model', () => {
  it.each([
    ['/m/a.gguf', ['/m/a.gguf']],
    ['/m/a-00001-of-00002.gguf', ['/m/a-00001-of-00002.gguf', '/m/a-00002-of-00002.gguf']],
    ['/m/a-00002-of-00002.gguf', ['/m/a-00002-of-00002.gguf']],
  ])('%s are %j', (first, files) => {
    expect(filesOfModel(first)).toEqual(files);
  });
});
