import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findEngine } from '@mai/llama-runtime';
import { startSimulator } from '@mai/lmstudio-simulator';
import type { ModelConfigFile } from '@mai/model-config';
import { contextOf, type HostOptions } from '../host-options.js';
import { chooseRuntime } from './choose-runtime.js';

let userHome: string;
beforeEach(() => (userHome = mkdtempSync(path.join(tmpdir(), 'mai runtime '))));
afterEach(() => rmSync(userHome, { recursive: true }));

const choose = (options: HostOptions = {}) =>
  chooseRuntime(contextOf({ userHome, env: {}, ...options }, new AbortController().signal));
const config = (changes: Partial<ModelConfigFile> = {}): ModelConfigFile => ({
  version: 1,
  models: [],
  ...changes,
});
const NOBODY = '127.0.0.1:9';

test('the option comes before the address, the address before the configuration', async () => {
  const embedded = config({ runtime: 'embedded' });
  expect(await choose({ runtime: 'embedded', url: NOBODY })).toEqual({
    runtime: 'embedded',
    because: 'option',
  });
  expect(await choose({ url: NOBODY, config: embedded })).toEqual({
    runtime: 'lmstudio',
    because: 'address',
  });
  expect(await choose({ config: embedded })).toEqual({
    runtime: 'embedded',
    because: 'config',
  });
  expect(await choose({ config: config({ runtime: 'lmstudio' }) })).toEqual({
    runtime: 'lmstudio',
    because: 'config',
  });
});

test('LM Studio where it runs', async () => {
  await using simulator = await startSimulator();
  const noted = path.join(userHome, '.lmstudio', '.internal', 'http-server.json');
  mkdirSync(path.dirname(noted), { recursive: true });
  writeFileSync(noted, JSON.stringify({ port: Number(new URL(simulator.httpUrl).port) }));
  expect(await choose({ config: config() })).toEqual({
    runtime: 'lmstudio',
    because: 'lmstudio-runs',
  });
});

test('the embedded engine where LM Studio does not run, if it is installed', async () => {
  const isInstalled = (await findEngine()) !== null;
  expect(await choose({ config: config() })).toEqual(
    isInstalled
      ? { runtime: 'embedded', because: 'lmstudio-off' }
      : { runtime: 'lmstudio', because: 'no-engine' },
  );
});

test('a configuration with faults names no runtime, and does not prevent the choice', async () => {
  writeFileSync(path.join(userHome, 'models.yaml'), 'version: 1\nruntime: lmstudoi\n');
  const chosen = await choose({ configFile: path.join(userHome, 'models.yaml') });
  expect(chosen.because).toMatch(/^(?:lmstudio-off|no-engine)$/);
});
