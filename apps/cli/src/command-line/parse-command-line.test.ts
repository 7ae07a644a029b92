import { isUsageError } from '../../test/is-usage-error.js';
import { COMMANDS } from './command-table.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import type { Invocation } from './parse-command-line.js';
import { allOptions, nameOf, parseCommandLine } from './parse-command-line.js';

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '));
const ranWith = (invocation: Invocation) => {
  if (invocation.kind !== 'run') throw new Error(`Parsed as ${invocation.kind}.`);
  return invocation;
};

describe('accepts', () => {
  test('a command with its arguments and options, in any order', () => {
    for (const line of [
      'load a b --context 4096 --json',
      '--json load --context=4096 a b',
      'load a --json b --context 4096',
    ]) {
      const { path, input } = ranWith(parse(line));
      expect(nameOf(path)).toBe('load');
      expect(input.positionals).toEqual(['a', 'b']);
      expect(input.integer('context', 1)).toBe(4096);
      expect(input.has('json')).toBe(true);
      expect(input.has('quiet')).toBe(false);
    }
  });

  test('a subcommand', () => {
    const { path, input } = ranWith(parse('config check my.yaml'));
    expect(nameOf(path)).toBe('config check');
    expect(input.positionals).toEqual(['my.yaml']);
  });

  test('an argument after -- that starts with a dash', () => {
    expect(ranWith(parse('unload -- -odd')).input.positionals).toEqual(['-odd']);
  });

  test.each([
    ['', 'help', ''],
    ['--help', 'help', ''],
    ['help', 'help', ''],
    ['help config init', 'help', 'config init'],
    ['status -h', 'help', 'status'],
    ['config --help', 'help', 'config'],
  ])('%j asks for help on %j', (line, kind, name) => {
    const invocation = parse(line);
    expect(invocation.kind).toBe(kind);
    expect(invocation.kind === 'help' && nameOf(invocation.path)).toBe(name);
  });

  test.each(['--version', '-V', 'status --version'])('%j asks for the version', (line) => {
    expect(parse(line).kind).toBe('version');
  });

  test('quantities, lists and switches', () => {
    const { input } = ranWith(
      parse('select --timeout 1.5m --require chat,tools --tier small --dry-run'),
    );
    expect(input.durationMs('timeout')).toBe(90_000);
    expect(input.list('require')).toEqual(['chat', 'tools']);
    expect(input.list('tier')).toEqual(['small']);
    expect(input.list('chain')).toBeNull();
    expect(ranWith(parse('estimate f --flash-attention off')).input.onOff('flash-attention')).toBe(
      false,
    );
  });
});

describe('refuses a wrong command line and gives the next step', () => {
  test.each([
    ['stats', /no command "stats".*mean status\?.*`mai --help`/],
    ['bogus', /no command "bogus"\. See `mai --help`/],
    ['config initt', /no command "initt" of mai config.*mean init\?/],
    ['config', /needs a subcommand: init, check, schema, path/],
    ['select --chian x', /no option --chian.*mean --chain\?.*`mai select --help`/],
    ['--api-token secret status', /no option --api-token\..*mean --api-token-file\?/],
    ['--josn', /no option --josn.*mean --json\?/],
    ['status -x', /no option -x\. See `mai status --help`/],
    ['-v', /no option -v\. Did you mean -V \(--version\) or --verbose\? See/],
    ['models -A', /no option -A\. Did you mean -a \(--all\)\? See `mai models --help`/],
    ['status --chain x', /mai status has no option --chain; `mai select` has/],
    ['load', /mai load needs KEY/],
    ['status now', /takes no argument; remove "now"/],
    ['unload a b', /takes only KEY-OR-IDENTIFIER; remove "b"/],
    ['yield 8 GiB', /takes only SIZE; write 8GiB\.$/],
    ['yield 8GiB GiB', /takes only SIZE; remove "GiB"\.$/],
    ['select --chain', /--chain needs a value: --chain=NAME/],
    ['select --chain --load', /--chain needs a value/],
    ['select --chain=', /--chain needs a value/],
    ['status --json=yes', /--json is a switch and takes no value/],
    ['status --url a --url b', /--url is given twice/],
    ['estimate f --kv-k q8', /takes f32, .* or iq4_nl, not "q8".*mean q8_0\?/],
    ['completions tcsh', /SHELL is bash, zsh or fish, not "tcsh"/],
    ['status --interval 2s', /--interval needs --watch or --record\. See `mai status --help`/],
    ['serve --fleet-port 9000', /--fleet-port needs --fleet\./],
    ['serve --tls-cert cert.pem', /--tls-cert needs --tls-key\./],
    ['yield --for 30m', /--for needs SIZE\./],
    ['yield --release --pools gpu', /--pools needs SIZE\./],
    ['yield --name render', /--name needs SIZE or --release\./],
    ['keys --scopes read', /--scopes needs NAME\./],
    ['connect --write', /--write needs CLIENT\./],
  ])('%j', (line, message) => {
    expect(() => parse(line)).toThrow(message);
    expect(isUsageError(() => parse(line))).toBe(true);
  });

  test.each([
    ['estimate f --context 4k', 'context', /whole number of at least 1, not "4k"/],
    ['estimate f --context 0', 'context', /whole number of at least 1, not "0"/],
    ['estimate f --context 1e3', 'context', /not "1e3"/],
  ])('%j', (line, name, message) => {
    expect(() => ranWith(parse(line)).input.integer(name, 1)).toThrow(message);
  });

  test.each([
    ['65536', /--port takes a whole number from 0 to 65535, not "65536"/],
    ['-1', /--port takes a whole number from 0 to 65535, not "-1"/],
  ])('the port %j', (port, message) => {
    const { input } = ranWith(parseCommandLine(['serve', `--port=${port}`]));
    expect(() => input.port('port', 0)).toThrow(message);
  });

  test.each([['pin'], ['load'], ['config', 'check']])('%j with an empty argument', (...words) => {
    expect(() => parseCommandLine([...words, ''])).toThrow(/was given an empty argument/);
  });

  test.each(['5', '5 parsecs', '-5s', '0s', 's', '1e3s'])('the duration %j', (text) => {
    const { input } = ranWith(parseCommandLine(['status', `--timeout=${text}`]));
    expect(() => input.durationMs('timeout')).toThrow(/takes a duration such as 500ms/);
  });
});

describe('the table', () => {
  test('options of the same name all take a value, or are all switches, because parsing relies on this', () => {
    const kinds = new Map<string, boolean>();
    for (const { name, value } of [...GLOBAL_OPTIONS, ...allOptions()]) {
      expect(kinds.get(name) ?? value !== undefined).toBe(value !== undefined);
      kinds.set(name, value !== undefined);
    }
  });

  test('an option needs only options and arguments of its command', () => {
    const every = COMMANDS.flatMap((command) => [command, ...(command.subcommands ?? [])]);
    for (const { options = [], arguments: words = [] } of every) {
      const known = [...options, ...words].map(({ name }) => name);
      for (const { needs = [] } of options)
        expect(known).toEqual(expect.arrayContaining([...needs]));
    }
  });

  test('has each command and option once', () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const command of COMMANDS) {
      const options = [...GLOBAL_OPTIONS, ...(command.options ?? [])];
      const flags = options.flatMap(({ name, short }) => [name, ...(short ? [short] : [])]);
      expect(new Set(flags).size).toBe(flags.length);
    }
  });
});
