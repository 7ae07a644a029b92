import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { qualityOf } from '@mai/model-config';
import { openQualities } from './kept-qualities.js';

let cache: string;
let file: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(tmpdir(), 'mai qualities '));
  file = path.join(cache, 'qualities.json');
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const open = () => openQualities({ folders: { cache, data: cache, config: cache } });

const factsOf = (modelKey: string) => ({
  modelKey,
  displayName: null,
  baseModels: [],
  architecture: 'llama',
  sizeLabel: null,
  reasoning: null,
  quality: null,
  parameters: 3e9,
  activeParameters: 3e9,
  quantization: 'Q4_K_M',
  fileName: null,
  capabilities: ['chat'] as const,
});
const EXPECTED = qualityOf(factsOf('a'), 'general');

/** Changes the kept quality, so that a test sees whether it was used. */
function changeKept(change: (text: string) => string): void {
  const text = readFileSync(file, 'utf8');
  const changed = change(text.replace(/"quality":[\d.]+/, '"quality":0.125'));
  expect(changed).not.toBe(text);
  writeFileSync(file, changed);
}

function keepOne(): void {
  const qualities = open();
  expect(qualities.judge(factsOf('a'), 'general')).toEqual(EXPECTED);
  qualities.save();
}

test('a quality is taken from the file', () => {
  keepOne();
  changeKept((text) => text);
  expect(open().judge(factsOf('a'), 'general')?.quality).toBe(0.125);
});

test.each([
  [
    'is of another version of Mai',
    (text: string) => text.replace(/"stamp":"[^"]*"/, '"stamp":"0.0.0"'),
  ],
  ['is of another format', (text: string) => text.replace(/"format":\d+/, '"format":0')],
  ['is not JSON', (text: string) => text.slice(1)],
  ['was cut short', (text: string) => text.slice(0, text.length / 2)],
  [
    'has another kind of value',
    (text: string) => text.replace(/"quality":[\d.]+/, '"quality":"x"'),
  ],
])('a quality is derived again where the file %s', (_, change) => {
  keepOne();
  changeKept(change);
  expect(open().judge(factsOf('a'), 'general')).toEqual(EXPECTED);
});

test('two processes that save keep the qualities of both', () => {
  const [one, two] = [open(), open()];
  one.judge(factsOf('a'), 'general');
  two.judge(factsOf('b'), 'general');
  one.save();
  two.save();
  const { entries } = JSON.parse(readFileSync(file, 'utf8')) as { entries: object };
  expect(Object.keys(entries)).toHaveLength(2);
});

test('a folder that cannot be written changes no answer', () => {
  writeFileSync(file, '');
  cache = path.join(file, 'below-a-file');
  const qualities = open();
  expect(qualities.judge(factsOf('a'), 'general')).toEqual(EXPECTED);
  expect(() => qualities.save()).not.toThrow();
  cache = path.dirname(file);
});
