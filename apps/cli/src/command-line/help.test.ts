import { textWidth } from '@mai/host';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EXIT } from '../exit-codes.js';
import { createStyle } from '../terminal/style.js';
import { COMMANDS } from './command-table.js';
import { renderHelp } from './help.js';

const help = renderHelp([], createStyle(false), 80);

test('lists the visible commands only', () => {
  for (const { name, hidden } of COMMANDS) {
    if (hidden === true) expect(help).not.toMatch(new RegExp(`^  ${name} `, 'm'));
    else expect(help).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
});

test.each(Object.values(EXIT))('explains exit code %d in the help and in the README', (code) => {
  const readme = readFileSync(path.join(__dirname, '../../README.md'), 'utf8');
  expect(help).toMatch(new RegExp(`^  ${code} +\\S`, 'm'));
  expect(readme).toMatch(new RegExp(`^\\| ${code} +\\| \\S`, 'm'));
});

test('fits 80 columns', () => {
  for (const line of help.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
});
