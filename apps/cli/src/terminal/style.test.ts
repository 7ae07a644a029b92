import { createStyle, wantsColour, wantsUnicode } from './style.js';

test.each([
  ['a terminal', false, {}, true, true],
  ['no terminal', false, {}, false, false],
  ['--no-color on a terminal', true, { FORCE_COLOR: '1' }, true, false],
  ['NO_COLOR', false, { NO_COLOR: '1' }, true, false],
  ['an empty NO_COLOR', false, { NO_COLOR: '' }, true, true],
  ['FORCE_COLOR without a terminal', false, { FORCE_COLOR: '1' }, false, true],
  ['FORCE_COLOR=0', false, { FORCE_COLOR: '0' }, true, false],
  ['FORCE_COLOR with NO_COLOR', false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true, true],
  ['a dumb terminal', false, { TERM: 'dumb' }, true, false],
] as const)('colours with %s', (_, noColour, env, isTTY, expected) => {
  expect(wantsColour(noColour, env, isTTY)).toBe(expected);
});

test.each([
  ['linux', {}, true],
  ['linux', { LANG: 'C.UTF-8' }, true],
  ['linux', { LANG: 'C' }, false],
  ['linux', { LC_ALL: 'de_DE.ISO-8859-1', LANG: 'en_US.UTF-8' }, false],
  ['linux', { TERM: 'linux', LANG: 'en_US.UTF-8' }, false],
  ['darwin', { LANG: 'en_US.UTF-8' }, true],
  ['win32', {}, false],
  ['win32', { WT_SESSION: 'x' }, true],
] as const)('block glyphs on %s with %j: %p', (platform, env, expected) => {
  expect(wantsUnicode(env, platform)).toBe(expected);
});

test('adds nothing without colours', () => {
  const { bold, bad, accent } = createStyle(false);
  expect(bold(bad(accent('x')))).toBe('x');
});
