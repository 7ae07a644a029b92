import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_TIMINGS } from '@mai/autopilot';
import { configSchema } from '@mai/host';
import { AUTOPILOT } from './specs/autopilot-specs.js';

// The documentation repeats these numbers by hand.
const { observeIntervalMs, emergencyDrainMs, criticalDrainMs } = DEFAULT_TIMINGS;

test("the help text of `mai watch --interval` names the autopilot's default", () => {
  const options = AUTOPILOT.find(({ name }) => name === 'watch')?.options ?? [];
  expect(options.find(({ name }) => name === 'interval')?.summary).toContain(
    `(default: ${observeIntervalMs / 1000}s)`,
  );
});

test('the configuration schema names the times that running requests get over the hard limit', async () => {
  const text = JSON.stringify(await configSchema());
  expect(text).toContain(`${emergencyDrainMs / 1000} seconds to finish`);
  expect(text).toContain(`${criticalDrainMs / 1000} second if memory has already run out`);
});

test('the README names the times that running requests get over the hard limit', () => {
  const text = readFileSync(path.join(__dirname, '..', '..', 'README.md'), 'utf8');
  expect(text.replaceAll(/\s+/g, ' ')).toContain(
    `over the hard limit at most ${emergencyDrainMs / 1000} s, and ${criticalDrainMs / 1000} s where memory has run out`,
  );
});
