import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EXAMPLE } from '../../test/example-file.js';
import { builtInModelConfig } from '../parse/built-in-model-config.js';
import { builtInModelConfigText } from '../built-in/built-in-text.generated.js';
import { ModelConfigError } from '../diagnostics/model-config-error.js';
import { parseModelConfig } from '../parse/parse-model-config.js';
import { loadModelConfig, type LoadModelConfigOptions } from './load-model-config.js';

let root: string;
const inRoot = (...parts: string[]): string => path.join(root, ...parts);

/** Writes a configuration whose only model has this key. */
function write(file: string, key = 'a'): string {
  const target = inRoot(file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, `version: 1\nmodels: [{ key: ${key} }]\n`);
  return target;
}

const options = (more: Partial<LoadModelConfigOptions> = {}): LoadModelConfigOptions => ({
  env: {},
  cwd: inRoot('my project'),
  userConfigDir: inRoot('user'),
  ...more,
});

async function failure(more: Partial<LoadModelConfigOptions>): Promise<ModelConfigError> {
  const error: unknown = await loadModelConfig(options(more)).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ModelConfigError)) throw new Error('it was loaded');
  return error;
}

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mai config '));
  mkdirSync(inRoot('my project'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('the search', () => {
  it('prefers the explicit path, then MAI_CONFIG, the project, the user, the built-in configuration', async () => {
    const places: [file: string, more: Partial<LoadModelConfigOptions>, kind: string][] = [
      [
        'explicit.yaml',
        { path: '../explicit.yaml', env: { MAI_CONFIG: '../env.yaml' } },
        'explicit',
      ],
      ['env.yaml', { env: { MAI_CONFIG: '../env.yaml' } }, 'environment'],
      ['my project/.mai/models.yaml', {}, 'project'],
      ['my project/models.yaml', {}, 'project'],
      ['my project/config/models.yaml', {}, 'project'],
      ['user/models.yaml', {}, 'user'],
    ];
    for (const [index, [file]] of places.entries()) write(file, `model-${index}`);
    for (const [index, [file, more, kind]] of places.entries()) {
      const { config, source } = await loadModelConfig(options(more));
      expect(source).toEqual({ kind, file: inRoot(file) });
      expect(config.models[0]?.modelKey).toBe(`model-${index}`);
      rmSync(inRoot(file));
    }
    const { config, source, absent } = await loadModelConfig(options());
    expect(source).toEqual({ kind: 'built-in', file: null });
    expect(config).toBe(builtInModelConfig());
    expect(absent).toEqual([
      inRoot('my project', '.mai', 'models.yaml'),
      inRoot('my project', 'models.yaml'),
      inRoot('my project', 'config', 'models.yaml'),
      inRoot('user', 'models.yaml'),
    ]);
  });

  it('treats an empty MAI_CONFIG as unset', async () => {
    expect((await loadModelConfig(options({ env: { MAI_CONFIG: '' } }))).source.kind).toBe(
      'built-in',
    );
  });

  it('skips the user’s folder where the user has no such folder', async () => {
    expect((await loadModelConfig(options({ userConfigDir: null }))).absent).toHaveLength(3);
  });
});

describe('a file that cannot be used', () => {
  it('must exist when the path was given', async () => {
    expect(await failure({ path: 'no.yaml' })).toMatchObject({
      code: 'CONFIG_NOT_FOUND',
      file: inRoot('my project', 'no.yaml'),
      message: `There is no configuration at this path: ${inRoot('my project', 'no.yaml')}\nCheck the path, or write a file with: mai config init`,
    });
    expect((await failure({ env: { MAI_CONFIG: 'no.yaml' } })).message).toMatch(
      /Correct or unset MAI_CONFIG\.$/,
    );
  });

  it('is an error when the given path is a folder, but a folder that the search finds is skipped', async () => {
    mkdirSync(inRoot('my project', 'models.yaml'));
    expect(await failure({ path: 'models.yaml' })).toMatchObject({ code: 'CONFIG_NOT_FOUND' });
    expect((await loadModelConfig(options())).source.kind).toBe('built-in');
  });

  it('is refused with all its issues, and the search does not go on to another file', async () => {
    write('user/models.yaml');
    writeFileSync(
      inRoot('my project', 'models.yaml'),
      'version: 1\nmodels: [{ key: a, x: 1 }]\npins: [b]',
    );
    const error = await failure({});
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.issues.map(({ path: where, file }) => [where, file])).toEqual([
      ['models[0].x', inRoot('my project', 'models.yaml')],
      ['pins[0]', inRoot('my project', 'models.yaml')],
    ]);
  });

  it('is refused when it is not text, or larger than 512 KiB', async () => {
    writeFileSync(
      inRoot('my project', 'x.gguf'),
      Buffer.from([0x47, 0x47, 0x55, 0x46, 0xff, 0xfe, 0x80]),
    );
    expect((await failure({ path: 'x.gguf' })).message).toMatch(/is not UTF-8 text/);
    writeFileSync(inRoot('my project', 'x.log'), Buffer.alloc(512 * 1024 + 1, ' '));
    expect(await failure({ path: 'x.log' })).toMatchObject({ code: 'CONFIG_INVALID', issues: [] });
  });

  (process.platform === 'win32' ? it.skip : it)(
    'is refused when it is a device that never ends, and read where it is a device that ends',
    async () => {
      expect((await failure({ path: '/dev/zero' })).message).toMatch(/has over 524288 bytes/);
      expect((await failure({ path: '/dev/null' })).message).toMatch(/the configuration is empty/);
    },
  );

  it('is read as UTF-16 when it has the byte order mark that PowerShell writes', async () => {
    const text = '\ufeffversion: 1\r\nmodels: [{ key: a }]\r\n';
    writeFileSync(inRoot('my project', 'models.yaml'), Buffer.from(text, 'utf16le'));
    expect((await loadModelConfig(options())).config.models[0]?.modelKey).toBe('a');
  });

  const asRoot = process.getuid?.() === 0;
  (asRoot || process.platform === 'win32' ? it.skip : it)(
    'is reported when it cannot be read for lack of permission',
    async () => {
      chmodSync(write('my project/models.yaml'), 0);
      expect(await failure({})).toMatchObject({ code: 'CONFIG_NOT_FOUND' });
    },
  );
});

describe('the cache', () => {
  const cacheDir = (): string => inRoot('cache', 'mai');
  const load = async (): Promise<unknown> =>
    (await loadModelConfig(options({ cacheDir: cacheDir() }))).config;

  it('gives the same configuration as parsing', async () => {
    writeFileSync(inRoot('my project', 'models.yaml'), EXAMPLE);
    const parsed = parseModelConfig(EXAMPLE).config;
    expect(await load()).toEqual(parsed);
    expect(readdirSync(cacheDir())).toHaveLength(1);
    expect(await load()).toEqual(parsed);
  });

  it('is not needed for an unchanged copy of the built-in configuration', async () => {
    writeFileSync(inRoot('my project', 'models.yaml'), builtInModelConfigText);
    expect(await load()).toBe(builtInModelConfig());
    expect(existsSync(cacheDir())).toBe(false);
  });

  it('is read by the second load', async () => {
    write('my project/models.yaml', 'a');
    await load();
    const [name = ''] = readdirSync(cacheDir());
    const file = path.join(cacheDir(), name);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"key":"a"', '"key":"from-the-cache"'));
    expect(await load()).toMatchObject({ models: [{ modelKey: 'from-the-cache' }] });
  });

  it('is used only for the text that it was made from', async () => {
    write('my project/models.yaml', 'a');
    await load();
    write('my project/models.yaml', 'b');
    expect(await load()).toMatchObject({ models: [{ modelKey: 'b' }] });
  });

  it('does not keep an invalid file', async () => {
    writeFileSync(inRoot('my project', 'models.yaml'), 'version: 3');
    await failure({ cacheDir: cacheDir() });
    await expect(load()).rejects.toThrow('must be 1, not 3');
  });

  it('is ignored when it is damaged or cannot be written', async () => {
    write('my project/models.yaml', 'a');
    await load();
    const [name = ''] = readdirSync(cacheDir());
    writeFileSync(path.join(cacheDir(), name), '{');
    expect(await load()).toMatchObject({ models: [{ modelKey: 'a' }] });
    writeFileSync(inRoot('in the way'), '');
    const { config } = await loadModelConfig(options({ cacheDir: inRoot('in the way') }));
    expect(config.models[0]?.modelKey).toBe('a');
  });
});
