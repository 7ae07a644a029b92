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

test.each(Object.values(EXIT))('the README explains exit code %d as the help does', (code) => {
  const readme = readFileSync(path.join(__dirname, '../../README.md'), 'utf8');
  const text = new RegExp(`^\\| ${code} +\\| (.*?) +\\|$`, 'm').exec(readme)?.[1];
  const wide = renderHelp([], createStyle(false), 1000);
  expect(new RegExp(`^  ${code} +(.*)$`, 'm').exec(wide)?.[1]).toBe(text);
  expect(text).toMatch(/\w/);
});

test.each([60, 80])('fits %d columns', (width) => {
  for (const command of [null, ...COMMANDS]) {
    const text = renderHelp(command === null ? [] : [command], createStyle(false), width);
    for (const line of text.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(width);
  }
});
