import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findRegisteredFiles } from './registered-files.js';

let registry: string;
beforeEach(() => (registry = mkdtempSync(path.join(tmpdir(), 'mai registry '))));
afterEach(() => rmSync(registry, { recursive: true }));

const find = (reference: string | null, folder = registry) =>
  findRegisteredFiles(folder, { reference }, () => Promise.reject(new Error('not read')));
const register = (name: string, record: unknown): void =>
  writeFileSync(path.join(registry, name), JSON.stringify(record));

test('the record of a resident names its file and its projector', async () => {
  const [file, projectorFile] = ['/models/a.gguf', '/models/mmproj-a.gguf'];
  register('1.json', { reference: 'other', spec: { file: '/models/b.gguf' } });
  register('2.json', { reference: 'wanted', spec: { file, projectorFile } });
  const found = await find('wanted');
  expect(found?.files).toEqual([file]);
  expect(await found?.findProjector()).toBe(projectorFile);
});

test('no record: the folder is absent, the record is damaged, or it is of another resident', async () => {
  expect(await find('wanted', path.join(registry, 'absent'))).toBeNull();
  writeFileSync(path.join(registry, '1.json'), '{"reference": "wan');
  register('2.json', { reference: 'other', spec: { file: '/models/b.gguf' } });
  register('3.json', { reference: 'wanted' });
  expect(await find('wanted')).toBeNull();
  expect(await find(null)).toBeNull();
});
