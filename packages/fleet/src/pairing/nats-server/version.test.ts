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

const JETSTREAM = 'CVE-2025-30215';
const TRACES = 'CVE-2026-33249';

test.each([
  ['1.4.1', [JETSTREAM]],
  ['2.2.0', [JETSTREAM]],
  ['2.9.10', [JETSTREAM]],
  ['2.9.25', [JETSTREAM]],
  ['2.10.0', [JETSTREAM]],
  ['2.10.26', [JETSTREAM]],
  ['2.10.27', []],
  ['2.10.28', []],
  ['2.11.0', [JETSTREAM, TRACES]],
  ['2.11.1', [TRACES]],
  ['2.11.14', [TRACES]],
  ['2.11.15', []],
  ['2.12.0', [TRACES]],
  ['2.12.5', [TRACES]],
  ['2.12.6', []],
  ['2.14.0', []],
  ['2.15.1', []],
  ['3.0.0', []],
])('nats-server %s lacks the fixes of %j', (text, cves) => {
  const version = parseNatsServerVersion(text);
  if (version === null) throw new Error('not a version');
  const warning = natsServerWarning(version);
  expect(warning?.match(/CVE-[\d-]+/g) ?? []).toEqual(cves);
  if (warning === null) return;
  expect(warning).toContain(`nats-server ${text} lacks the fix of`);
  const advised = warning.match(/\d+\.\d+\.\d+/g)?.filter((one) => one !== text) ?? [];
  const warnings = advised.map((one) => {
    const other = parseNatsServerVersion(one);
    return other === null ? null : natsServerWarning(other);
  });
  expect(warnings).toEqual([null, null, null]);
});
