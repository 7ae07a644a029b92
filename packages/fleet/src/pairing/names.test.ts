import { hostAndPort, isAddress, isPort, toHostName } from './names.js';

test.each([
  ['10.0.0.7', true],
  ['fd00::7', true],
  ['fe80::1%eth0', false],
  ['desktop', true],
  ['desktop.lan', true],
  ['Desktop.Lan', true],
  ['xn--bcher-kva.example', true],
  ['10.0.0.300', false],
  ['1.2.3', false],
  ['', false],
  ['a..b', false],
  ['-a.lan', false],
  ['a_b', false],
  ['a b', false],
  ['a"b', false],
  ['a\nb', false],
  ['desktop:4222', false],
  ['a'.repeat(64), false],
  [`${'a.'.repeat(126)}ab`, false],
  [`${'a.'.repeat(126)}a`, true],
])('%j is an address: %s', (text, expected) => {
  expect(isAddress(text)).toBe(expected);
});

test.each([
  ["Anna's PC.local", 'anna-s-pc'],
  ['DESKTOP-4F2', 'desktop-4f2'],
  ['-x-', 'x'],
  ['büro', 'b-ro'],
  ['a'.repeat(80), 'a'.repeat(63)],
  ['', null],
  ['...', null],
  ['日本', null],
])('the host name of the computer name %j is %j', (text, name) => {
  expect(toHostName(text)).toBe(name);
});

test('an IPv6 address gets brackets before a port', () => {
  expect(hostAndPort('fd00::7', 4222)).toBe('[fd00::7]:4222');
  expect(hostAndPort('10.0.0.7', 4222)).toBe('10.0.0.7:4222');
});

test.each([
  [0, false],
  [1, true],
  [65_535, true],
  [65_536, false],
  [1.5, false],
  [Number.NaN, false],
])('%d is a port: %s', (port, expected) => {
  expect(isPort(port)).toBe(expected);
});
