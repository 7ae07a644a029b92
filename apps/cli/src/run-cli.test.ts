import { textWidth } from '@mai/host';
import { createFakeIo } from '../test/fake-io.js';
import { COMMANDS } from './command-line/command-table.js';
import { EXIT, knownError } from './exit-codes.js';
import { Interrupted } from './io.js';
import { reportError } from './report-error.js';
import { runCli } from './run-cli.js';
import { createOutput } from './terminal/output.js';

test('--version prints the version', async () => {
  const io = createFakeIo();
  expect(await runCli(['--version'], io)).toBe(0);
  expect(io.out()).toBe('mai 9.9.9\n');
});

test.each([
  [['--version', '--json'], { schemaVersion: 1, version: '9.9.9' }],
  [['--help', '--json'], { schemaVersion: 1, help: expect.stringContaining('Usage') }],
  [['--json'], { schemaVersion: 1, help: expect.stringContaining('Usage') }],
  [
    ['completions', 'bash', '--json'],
    { schemaVersion: 1, shell: 'bash', script: expect.stringContaining('complete') },
  ],
])('%j answers in JSON', async (argv, expected) => {
  const io = createFakeIo();
  expect(await runCli(argv, io)).toBe(0);
  expect(JSON.parse(io.out())).toEqual(expected);
});

test('every command has a help text that fits 80 columns', async () => {
  const names = COMMANDS.flatMap(({ name, subcommands }) => [
    [name],
    ...(subcommands ?? []).map((sub) => [name, sub.name]),
  ]);
  for (const words of [[], ...names]) {
    const io = createFakeIo({ columns: 80 });
    expect(await runCli([...words, '--help'], io)).toBe(0);
    expect(io.out()).toContain('Usage');
    for (const line of io.out().split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
  }
});

test('a usage error is one line on stderr with exit code 2, and nothing on stdout', async () => {
  const io = createFakeIo();
  expect(await runCli(['stauts'], io)).toBe(EXIT.usage);
  expect(io.err()).toBe(
    'error: There is no command "stauts". Did you mean status? See `mai --help`.\n',
  );
  expect(io.out()).toBe('');
});

test('text for a terminal is wrapped between words', async () => {
  const io = createFakeIo({ columns: 30, env: { NO_COLOR: '1' } });
  expect(await runCli(['stauts'], io)).toBe(EXIT.usage);
  expect(io.err()).toBe(
    'error: There is no command\n"stauts". Did you mean status?\nSee `mai --help`.\n',
  );
});

test('with --json an error is JSON on stdout, too', async () => {
  const io = createFakeIo();
  expect(await runCli(['status', '--jsn', '--json'], io)).toBe(EXIT.usage);
  expect(JSON.parse(io.out())).toMatchObject({
    schemaVersion: 1,
    error: { code: 'USAGE', message: expect.stringContaining('--jsn') },
  });
});

test('a warning that repeats itself is printed once a minute', () => {
  const io = createFakeIo();
  const output = createOutput(io, { json: false, quiet: false, noColour: true });
  output.warn('The disk is full.');
  output.warn('The disk is full.');
  expect(io.err()).toBe('warning: The disk is full.\n');
});

describe('reportError', () => {
  const report = (error: unknown, verbose = false) => {
    const io = createFakeIo();
    const output = createOutput(io, { json: false, quiet: false, noColour: true });
    return { exitCode: reportError(error, output, verbose), text: io.err() };
  };
  const branded = (brand: string, code: string) =>
    Object.assign(new Error('What failed. What to do.'), { code, [Symbol.for(brand)]: true });

  test.each([
    ['@mai/model-config/ModelConfigError', 'CONFIG_INVALID', 2],
    ['@mai/lmstudio-adapter/LMStudioError', 'UNREACHABLE', 4],
    ['@mai/lmstudio-adapter/LMStudioError', 'TIMED_OUT', 4],
    ['@mai/lmstudio-adapter/LMStudioError', 'MODEL_NOT_FOUND', 5],
    ['@mai/lmstudio-adapter/LMStudioError', 'LOAD_TIMED_OUT', 5],
    ['@mai/resource-monitor/ResourceMonitorError', 'PROBE_FAILED', 6],
    ['@mai/memory-estimator/ModelFileError', 'CORRUPT', 7],
    ['@mai/autopilot/AutopilotError', 'ALREADY_RUNNING', 8],
  ])('%s %s ends with %d', (brand, code, exitCode) => {
    expect(report(branded(brand, code))).toEqual({
      exitCode,
      text: 'error: What failed. What to do.\n',
    });
  });

  test('any other error is reported as a bug in one line without a stack trace', () => {
    const { exitCode, text } = report(new TypeError('x is not a function\n  at somewhere'));
    expect(exitCode).toBe(EXIT.bug);
    expect(text).toMatch(/^error: x is not a function\. This is a bug in mai: please report .*\n$/);
    expect(knownError(Object.assign(new Error('ENOENT'), { code: 'ENOENT' }))).toBeNull();
  });

  test.each(['EACCES', 'ENOSPC', 'EROFS', 'EIO', 'EMFILE', 'ENAMETOOLONG'])(
    '%s of the system is not a bug of mai, and its message has the next step',
    (code) => {
      const why = `${code}: refused, open '/data/x'`;
      const { exitCode, text } = report(Object.assign(new Error(why), { code }));
      expect(exitCode).toBe(EXIT.outputFailed);
      expect(text).toContain(`The system refused a file: ${why}. Check its permissions`);
    },
  );

  test.each(['@mai/gateway/GatewayError', '@mai/client-settings/ClientSettingsError'])(
    '%s: a file that the system refuses ends with 11, and a file with a mistake with 2',
    (brand) => {
      const unusable = (cause: Error) => Object.assign(branded(brand, 'FILE_UNUSABLE'), { cause });
      const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
      expect(report(unusable(refused)).exitCode).toBe(EXIT.outputFailed);
      expect(report(unusable(new SyntaxError('Unexpected token'))).exitCode).toBe(EXIT.usage);
    },
  );

  test('control sequences in text from outside cannot move the cursor or change colours', () => {
    const error = Object.assign(branded('@mai/lmstudio-adapter/LMStudioError', 'LOAD_FAILED'), {
      message:
        'No \u001b[31mred\u001b[0m\u0007, no \u001b]0;title\u0007, no \u009b2J.\nSecond line.',
    });
    expect(report(error).text).toBe('error: No red, no , no .\n  Second line.\n');
  });

  test('--verbose shows the stack and the causes', () => {
    const { text } = report(new Error('outer', { cause: new Error('inner') }), true);
    expect(text).toMatch(/at .*run-cli\.test/);
    expect(text).toContain('caused by Error: inner');
  });

  test('an interruption is not reported as an error', () => {
    expect(report(new Interrupted(130))).toEqual({ exitCode: 130, text: 'Cancelled.\n' });
  });
});
