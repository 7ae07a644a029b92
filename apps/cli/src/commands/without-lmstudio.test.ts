import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runMai } from '../../test/run-mai.js';
import { tinyGguf, writeTinyModel } from '../../test/tiny-gguf.js';

/** No program listens on this port. */
const NOBODY = ['--url', '127.0.0.1:9'];

let home: string;
let models: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'mai home '));
  models = path.join(home, '.lmstudio', 'models');
  writeTinyModel(path.join(models, 'acme', 'Big-7B-GGUF', 'Big-7B-Q4_K_M.gguf'), {
    name: 'Big 7B',
    layers: 32,
    width: 1024,
    contextLength: 32_768,
  });
  writeTinyModel(path.join(models, 'acme', 'Small-1B-GGUF', 'Small-1B-Q4_K_M.gguf'), {
    name: 'Small 1B',
  });
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const mai = (...argv: string[]) =>
  runMai([...argv, ...NOBODY], { homeFolder: home, cwd: home, env: { NO_COLOR: '1' } });

test('mai status shows the machine, why LM Studio does not answer, and the next step', async () => {
  const { exitCode, out } = await mai('status');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/RAM .* of .* GiB/);
  expect(out).toMatch(
    /LM Studio {2}off {2}Nothing answers at[\s\S]*LM Studio\s+is\s+installed[\s\S]*lms server start/,
  );
});

test('mai models reads the headers in the models folder, and says so', async () => {
  const { exitCode, out, err } = await mai('models');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/big-7b .*header, \w+ +✓ fits/);
  expect(err).toContain('LM Studio is off: these are the files in its models folder');
  const { models: listed } = (await mai('models', '--json')).json() as {
    models: { modelKey: string; maxContextLengthTokens: number; capabilities: string[] }[];
  };
  expect(listed.find(({ modelKey }) => modelKey === 'big-7b')).toMatchObject({
    displayName: 'Big 7B',
    maxContextLengthTokens: 32_768,
    capabilities: expect.arrayContaining(['chat', 'tools']),
    footprint: { source: 'gguf-header' },
    rejection: null,
  });
});

test('mai compare writes its plot where it is told to, and says where it cannot', async () => {
  const written = await mai('compare', 'big-7b', 'small-1b', '--svg', 'plots/all.svg');
  expect(written.exitCode).toBe(0);
  expect(written.err).toContain('The plot is in plots/all.svg.');
  const svg = readFileSync(path.join(home, 'plots', 'all.svg'), 'utf8');
  expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
  const failed = await mai('compare', '--svg', path.join(home, 'plots'));
  expect(failed.exitCode).toBe(2);
  expect(failed.err).toMatch(/plots cannot be written \(EISDIR\)\. Name another place\./);
});

test('mai select decides from the headers and loads nothing', async () => {
  const { exitCode, out, err } = await mai('select');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^Choice +(big-7b|small-1b)/);
  expect(err).toContain('LM Studio is off');
  expect((await mai('select', '--load', '--dry-run')).exitCode).toBe(0);
  expect((await mai('select', '--load')).exitCode).toBe(4);
});

test('leaves out an unfinished download and a damaged file', async () => {
  writeFileSync(path.join(models, 'acme', 'half.gguf'), tinyGguf().header);
  writeFileSync(path.join(models, 'acme', 'bad.gguf'), tinyGguf().header.subarray(0, 300));
  writeFileSync(path.join(models, 'acme', 'text.gguf'), 'a text');
  const { exitCode, out, err } = await mai('models');
  expect(exitCode).toBe(0);
  expect(out).not.toMatch(/half|bad/);
  expect(err).toMatch(/warning: acme\/half\.gguf is not offered: the download is not complete/);
  expect(err).toMatch(
    /warning: acme\/bad\.gguf is not offered: it is damaged: the file ends in the middle of its header \(at byte 295\)\. Download it again\./,
  );
  expect(err).toMatch(/warning: acme\/text\.gguf is not offered: it is not a GGUF file\./);
});

(process.platform === 'win32' ? test.skip : test)(
  'leaves out a named pipe, and does not wait for it',
  async () => {
    const pipe = path.join(models, 'acme', 'pipe.gguf');
    execFileSync('mkfifo', [pipe]);
    expect((await mai('models')).out).not.toContain('pipe');
    const { exitCode, err } = await mai('estimate', pipe);
    expect(exitCode).toBe(7);
    expect(err).toContain('pipe.gguf is not a regular file.');
  },
);

const asRoot = process.getuid?.() === 0;
(asRoot || process.platform === 'win32' ? test.skip : test)(
  'names a folder that cannot be read',
  async () => {
    const locked = path.join(models, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0);
    const { exitCode, err } = await mai('models');
    chmodSync(locked, 0o755);
    expect(exitCode).toBe(0);
    expect(err).toMatch(/locked cannot be read \(EACCES\)/);
  },
);

test('without any models folder each command still answers', async () => {
  rmSync(path.join(home, '.lmstudio'), { recursive: true });
  expect((await mai('models')).out).toMatch(/^No model/);
  const select = await mai('select');
  expect(select.exitCode).toBe(3);
  expect(select.err).toMatch(/no models folder of LM Studio/);
});

test('mai doctor does not count an LM Studio that is off as a fault', async () => {
  const { exitCode, out } = await mai('doctor');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/! LM Studio/);
  expect(out).toMatch(/✓ Memory/);
});

test.each([
  ['load', 'big-7b'],
  ['unload', 'big-7b'],
  ['select', '--load'],
])('mai %s %s needs LM Studio: exit 4', async (...argv) => {
  const { exitCode, out, err } = await mai(...argv);
  expect(exitCode).toBe(4);
  expect(err).toMatch(/error: Nothing answers at .* LM Studio is installed .* not running/);
  expect(out).toBe('');
});

test('mai complete offers names for the shell', async () => {
  expect((await mai('complete', 'model')).out).toBe('big-7b\nsmall-1b\n');
  expect((await mai('complete', 'instance')).out).toBe('');
  expect((await mai('complete', 'chain')).out.split('\n')).toContain('coding');
});

test('mai config init names the models in the folder', async () => {
  const { out } = await mai('config', 'init', 'mine.yaml');
  expect(out).toMatch(/^Wrote .*mine\.yaml with 2 models/);
  expect((await mai('config', 'check', 'mine.yaml')).exitCode).toBe(0);
});

describe('a configuration with a fault', () => {
  const broken = 'version: 1\nmodels:\n  - key: a\n    category: hughe\n    contxt_window: 1\n';

  test.each([['status'], ['models'], ['select'], ['config check']])(
    'mai %s ends with 2 and names the line',
    async (line) => {
      writeFileSync(path.join(home, 'models.yaml'), broken);
      const { exitCode, err } = await mai(...line.split(' '));
      expect(exitCode).toBe(2);
      expect(err).toMatch(/models\.yaml:4:/);
      expect(err).toMatch(/contxt_window[\s\S]*context_window/);
      expect(err).not.toMatch(/\n\s+at /);
    },
  );

  test('mai config check --json lists every issue', async () => {
    writeFileSync(path.join(home, 'models.yaml'), broken);
    const result = await mai('config', 'check', '--json');
    expect(result.exitCode).toBe(2);
    expect(result.json()).toMatchObject({
      valid: false,
      issues: [{ line: 4 }, { code: 'UNKNOWN_KEY', line: 5 }],
    });
  });

  test('mai config check --json says why a file was not parsed', async () => {
    writeFileSync(path.join(home, 'models.yaml'), `# ${'x'.repeat(2 ** 19)}\n`);
    const result = await mai('config', 'check', '--json');
    expect(result.exitCode).toBe(2);
    expect(result.json()).toMatchObject({
      error: { code: 'CONFIG_INVALID', message: expect.stringMatching(/at most 524288/) },
    });
  });

  test('mai config path still names the file, and mai doctor reports a fault', async () => {
    writeFileSync(path.join(home, 'models.yaml'), broken);
    expect((await mai('config', 'path')).out).toBe(`${path.join(home, 'models.yaml')}\n`);
    const doctor = await mai('doctor');
    expect(doctor.exitCode).toBe(9);
    expect(doctor.out).toMatch(/✗ Configuration/);
  });

  test('a missing configuration ends with 2', async () => {
    const { exitCode, err } = await mai('select', '--config', 'nowhere.yaml');
    expect(exitCode).toBe(2);
    expect(err).toMatch(/no configuration at this path/);
  });
});

test('with nothing downloaded, mai select says so and names a model to download', async () => {
  rmSync(models, { recursive: true });
  const { exitCode, out, err } = await mai('select');
  expect(exitCode).toBe(3);
  expect(out).toMatch(/^Choice +nothing is downloaded/);
  expect(out).not.toContain('nothing fits');
  expect(err).toContain('No model is downloaded. Get one with LM Studio, for example: lms get ');
  const carriedOut = await mai('select', '--load', '--dry-run');
  expect(carriedOut.out).toContain('No model is downloaded.');
  expect(carriedOut.out.toLowerCase()).not.toContain('nothing fits');
});

test('mai models and mai estimate give one verdict and one footprint for each model', async () => {
  // A terabyte of weights fits no machine that runs tests.
  writeTinyModel(path.join(models, 'acme', 'Huge-GGUF', 'Huge-Q4_K_M.gguf'), {
    name: 'Huge',
    layers: 1,
    width: 65_536,
    vocabulary: 8_388_608,
  });
  const { models: listed } = (await mai('models', '--json')).json() as {
    models: { modelKey: string; contextLengthTokens: number; rejection: object | null }[];
  };
  expect(listed.map(({ rejection }) => rejection === null).sort()).toEqual([false, true, true]);
  for (const { modelKey, contextLengthTokens, rejection } of listed) {
    const { out } = await mai('estimate', modelKey);
    expect(out.includes('It fits as it is')).toBe(rejection === null);
    // The configured context length, as in `mai models`, and not LM Studio's default of 4096 tokens.
    const { loadConfig } = (await mai('estimate', modelKey, '--json')).json() as {
      loadConfig: { contextLengthTokens: number };
    };
    expect(loadConfig.contextLengthTokens).toBe(contextLengthTokens);
  }
});

test('of two files that would get the same key, mai estimate takes the keys that mai models lists', async () => {
  writeTinyModel(path.join(models, 'other', 'Small-1B-GGUF', 'Small-1B-Q4_K_M.gguf'), {
    name: 'Small 1B',
    contextLength: 2048,
  });
  const { models: listed } = (await mai('models', '--json')).json() as {
    models: { modelKey: string; contextLengthTokens: number }[];
  };
  const small = listed.filter(({ modelKey }) => /small-1b/i.test(modelKey));
  expect(small.map(({ modelKey }) => modelKey)).toEqual([
    'other/Small-1B-GGUF/Small-1B-Q4_K_M.gguf',
    'small-1b',
  ]);
  for (const { modelKey, contextLengthTokens } of small) {
    const { exitCode, json } = await mai('estimate', modelKey, '--json');
    expect([modelKey, exitCode]).toEqual([modelKey, 0]);
    expect(json()).toMatchObject({ loadConfig: { contextLengthTokens } });
  }
  expect((await mai('estimate', 'nobody/Small-1B-GGUF/x.gguf')).exitCode).toBe(7);
});

test('mai models names the trade-off of mai select, and mai estimate names the longest context that fits', async () => {
  // 128 KiB of KV cache for each token, so a terabyte for the configured context.
  writeTinyModel(path.join(models, 'acme', 'Long-GGUF', 'Long-Q4_K_M.gguf'), {
    name: 'Long',
    layers: 128,
    width: 512,
    contextLength: 8_388_608,
  });
  const config = {
    version: 1,
    models: [{ key: 'long', category: 'small', context_window: 8_388_608, capabilities: ['chat'] }],
    fallback_chains: { default: ['long'] },
  };
  writeFileSync(path.join(home, 'models.yaml'), JSON.stringify(config));
  const words = '4,096 tokens of context instead of 8,388,608';
  expect((await mai('models')).out).toMatch(new RegExp(`^ *long .*~ fits with ${words}`, 'm'));
  const { models: listed } = (await mai('models', '--json')).json() as {
    models: { modelKey: string }[];
  };
  expect(listed.find(({ modelKey }) => modelKey === 'long')).toMatchObject({
    rejection: { code: expect.stringMatching(/^INSUFFICIENT_/) },
    cheaper: {
      loadConfig: { contextLengthTokens: 4096 },
      tradeOffs: [{ kind: 'shorter-context', fromTokens: 8_388_608, toTokens: 4096 }],
    },
  });
  expect(listed.find(({ modelKey }) => modelKey === 'big-7b')).toMatchObject({
    rejection: null,
    cheaper: null,
  });
  const select = await mai('select');
  expect(select.out).toMatch(/^Choice +long {2}small, 4,096 tokens of context\n/);
  expect(select.out).toContain(`         Trade-off: ${words}\n`);

  const { out } = await mai('estimate', 'long');
  const [, longest = ''] =
    /~ It fits with ([\d,]+) tokens of context instead of 8,388,608\./.exec(out) ?? [];
  expect(Number(longest.replaceAll(',', ''))).toBeGreaterThan(4096);
});

describe('where the models folder is on a drive that is not mounted', () => {
  beforeEach(() => {
    rmSync(models, { recursive: true, force: true });
    const settings = { downloadsFolder: path.join(home, 'drive', 'models') };
    writeFileSync(path.join(home, '.lmstudio', 'settings.json'), JSON.stringify(settings));
  });

  test.each([
    ['models', 0],
    ['select', 3],
    ['compare', 3],
    ['estimate big-7b', 5],
    ['doctor', 9],
  ])('mai %s says so, and advises no download', async (line, code) => {
    const { exitCode, out, err } = await mai(...line.split(' '));
    const text = `${out} ${err}`.replace(/\s+/g, ' ');
    expect(text).toContain("LM Studio's models folder");
    expect(text).toMatch(/does not exist, so its models cannot be found\. Mount its drive/);
    expect(text).not.toMatch(/lms get|No model is downloaded|Nothing is downloaded/);
    expect(exitCode).toBe(code);
  });
});
