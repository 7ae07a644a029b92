import { natsServerWarning, parseNatsServerVersion } from './version.js';

test.each([
  ['nats-server: v2.9.10\n', { major: 2, minor: 9, patch: 10 }],
  ['nats-server: v2.10.27', { major: 2, minor: 10, patch: 27 }],
  ['nats-server: v2.12.0-RC.1', { major: 2, minor: 12, patch: 0 }],
  ['nats-server version 2.11.1', { major: 2, minor: 11, patch: 1 }],
  ['', null],
  ['nats-server: v2.9', null],
])('%j is the version %j', (text, version) => {
  expect(parseNatsServerVersion(text)).toEqual(version);
});

test.each([
  ['2.2.0', true],
  ['2.9.10', true],
  ['2.9.25', true],
  ['2.10.0', true],
  ['2.10.26', true],
  ['2.10.27', false],
  ['2.10.28', false],
  ['2.11.0', true],
  ['2.11.1', false],
  ['2.12.0', false],
  ['3.0.0', false],
  ['1.4.1', true],
])('nats-server %s is warned about: %s', (text, warned) => {
  const version = parseNatsServerVersion(text);
  if (version === null) throw new Error('not a version');
  const warning = natsServerWarning(version);
  expect(warning !== null).toBe(warned);
  if (warned) expect(warning).toContain(`nats-server ${text} lacks the fix of CVE-2025-30215`);
});
