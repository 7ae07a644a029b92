import { defineModelConfig } from '../parse/define-model-config.js';
import { parseModelConfig } from '../parse/parse-model-config.js';
import { codeFrame, divideIntoLines, positionAt } from './code-frame.js';
import { didYouMean } from './did-you-mean.js';
import { formatIssue } from './issue.js';
import { invalidConfigError, isModelConfigError } from './model-config-error.js';

const report = (text: string): string =>
  parseModelConfig(text, { file: 'models.yaml' }).issues.map(formatIssue).join('\n\n');

const lines = (...text: string[]): string => text.join('\n');

describe('the report on a file', () => {
  it('has no message twice for the same place', () => {
    const { issues } = parseModelConfig('{{{{');
    const places = issues.map(({ message, line, column }) => `${line}:${column} ${message}`);
    expect(places).toEqual([...new Set(places)]);
  });

  it('names every problem at once, each with its position and a suggestion', () => {
    const text = lines(
      'version: 1',
      'models:',
      '  - key: qwen/qwen3-4b-2507',
      '    categry: medium',
      '    min_memory_gb: 4 GB',
      '    capabilities: [chat, reasonin]',
      '  - display_name: x',
      'fallback_chains:',
      '  default: [qwen3-4b-2507, chain:codng]',
      '  coding: [chain:default, chain:coding]',
      'switching:',
      '  memory_percent: 66',
      '  dwell: 20 sec',
      '  dwell: 20s',
      '',
    );
    expect(report(text)).toBe(
      lines(
        'models.yaml:4:5: models[0].categry: unknown key "categry"',
        '  3 |   - key: qwen/qwen3-4b-2507',
        '> 4 |     categry: medium',
        '    |     ^^^^^^^',
        '  5 |     min_memory_gb: 4 GB',
        '  did you mean "category"?',
        '',
        'models.yaml:5:20: models[0].min_memory_gb: must be a number, not "4 GB"',
        '  4 |     categry: medium',
        '> 5 |     min_memory_gb: 4 GB',
        '    |                    ^^^^',
        '  6 |     capabilities: [chat, reasonin]',
        '  write 4',
        '',
        'models.yaml:6:26: models[0].capabilities[1]: must be one of chat, reasoning, analysis, coding, tools, vision, embedding, not "reasonin"',
        '  5 |     min_memory_gb: 4 GB',
        '> 6 |     capabilities: [chat, reasonin]',
        '    |                          ^^^^^^^^',
        '  7 |   - display_name: x',
        '  did you mean "reasoning"?',
        '',
        'models.yaml:7:5: models[1].key: "key" is missing',
        '  6 |     capabilities: [chat, reasonin]',
        '> 7 |   - display_name: x',
        '    |     ^^^^^^^^^^^^',
        '  8 | fallback_chains:',
        '  add key: ...',
        '',
        'models.yaml:9:13: fallback_chains.default[0]: no model "qwen3-4b-2507" is configured',
        '   8 | fallback_chains:',
        '>  9 |   default: [qwen3-4b-2507, chain:codng]',
        '     |             ^^^^^^^^^^^^^',
        '  10 |   coding: [chain:default, chain:coding]',
        '  did you mean "qwen/qwen3-4b-2507"?',
        '',
        'models.yaml:9:28: fallback_chains.default[1]: there is no chain "codng"',
        '   8 | fallback_chains:',
        '>  9 |   default: [qwen3-4b-2507, chain:codng]',
        '     |                            ^^^^^^^^^^^',
        '  10 |   coding: [chain:default, chain:coding]',
        '  known: default, coding',
        '',
        'models.yaml:10:27: fallback_chains.coding[1]: the chain includes itself: coding -> coding',
        '   9 |   default: [qwen3-4b-2507, chain:codng]',
        '> 10 |   coding: [chain:default, chain:coding]',
        '     |                           ^^^^^^^^^^^^',
        '  11 | switching:',
        '  remove one of these references',
        '',
        'models.yaml:12:19: switching.memory_percent: upgrade_below_percent_min (65, the default) must be at least 2 below memory_percent (66)',
        '  11 | switching:',
        '> 12 |   memory_percent: 66',
        '     |                   ^^',
        '  13 |   dwell: 20 sec',
        '  set upgrade_below_percent_min to 64 or less',
        '',
        'models.yaml:14:3: the key "dwell" is in this map twice',
        '  13 |   dwell: 20 sec',
        '> 14 |   dwell: 20s',
        '     |   ^^^^^',
        '  15 |',
        '  keep one of them',
      ),
    );
  });

  it.each([
    [
      '',
      lines(
        'models.yaml:1:1: the configuration is empty',
        '> 1 |',
        '    | ^',
        '  begin with version: 1',
      ),
    ],
    [
      'version: 2\nmodels: []',
      lines(
        'models.yaml:1:10: version: must be 1, not 2',
        '> 1 | version: 2',
        '    |          ^',
        '  2 | models: []',
        '  this file was written for a newer Mai, so update Mai',
      ),
    ],
    [
      'version: 1\n\tmodels: []',
      lines(
        'models.yaml:2:1: Tabs are not allowed as indentation',
        '  1 | version: 1',
        '> 2 |     models: []',
        '    | ^^^^',
        '  indent with spaces',
      ),
    ],
    [
      'version: 1\nmodels: []\n---\nversion: 1\n',
      lines(
        'models.yaml:3:1: a second document begins here',
        '  2 | models: []',
        '> 3 | ---',
        '    | ^^^',
        '  4 | version: 1',
        '  keep one document, and remove the line with ---',
      ),
    ],
    [
      'version: 1\nmodels: !foo []',
      lines(
        'models.yaml:2:9: unknown tag "!foo"',
        '  1 | version: 1',
        '> 2 | models: !foo []',
        '    |         ^^^^',
        '  remove the tag',
      ),
    ],
    [
      'version: !!int one',
      lines(
        'models.yaml:1:10: the tag "!!int" does not fit this value',
        '> 1 | version: !!int one',
        '    |          ^^^^^',
        '  remove the tag',
      ),
    ],
    [
      'version: 1\nmodels: !!set {}',
      lines(
        'models.yaml:2:9: unknown tag "!!set"',
        '  1 | version: 1',
        '> 2 | models: !!set {}',
        '    |         ^^^^^',
        '  remove the tag',
      ),
    ],
    [
      '%YAML 1.9\n---\nversion: 1\n',
      lines(
        'models.yaml:1:7: Unsupported YAML version 1.9',
        '> 1 | %YAML 1.9',
        '    |       ^^^',
        '  2 | ---',
        '  remove this line',
      ),
    ],
    [
      'version: 1\nmodels: [{ key: a, load: *fast }]',
      lines(
        'models.yaml:2:26: there is no anchor &fast before this alias',
        '  1 | version: 1',
        '> 2 | models: [{ key: a, load: *fast }]',
        '    |                          ^^^^^',
        '  write the section out instead of an alias',
      ),
    ],
    [
      'version: 1\nmodels: []\nswitching:\n  <<: { dwell: 1s }\n',
      lines(
        'models.yaml:4:3: switching["<<"]: unknown key "<<"',
        '  3 | switching:',
        '> 4 |   <<: { dwell: 1s }',
        '    |   ^^',
        '  5 |',
        '  merge keys are not read, so write the fields out, or alias a whole section (load: *name)',
      ),
    ],
    [
      'version: 1\nmodels: []\nrules:\n',
      lines(
        'models.yaml:3:7: rules: must be a list, not nothing',
        '  2 | models: []',
        '> 3 | rules:',
        '    |       ^',
        '  4 |',
        '  write a value, or remove the line',
      ),
    ],
    [
      'version: 1\nmodels: []\nfallback_chains: { default: [chain:vision], code: [downloaded:chat] }',
      lines(
        'models.yaml:3:30: fallback_chains.default[0]: there is no chain "vision"',
        '  2 | models: []',
        '> 3 | fallback_chains: { default: [chain:vision], code: [downloaded:chat] }',
        '    |                              ^^^^^^^^^^^^',
        '  known: default, code',
      ),
    ],
    [
      'version: 1\nmodels: []\nfleet: { chains: [defualt] }',
      lines(
        'models.yaml:3:19: fleet.chains[0]: there is no chain "defualt"',
        '  2 | models: []',
        '> 3 | fleet: { chains: [defualt] }',
        '    |                   ^^^^^^^',
        '  did you mean "default"?',
      ),
    ],
    [
      'version: 1\nmodels: []\nswitching: { memory_percent: 1 }',
      lines(
        'models.yaml:3:30: switching.memory_percent: upgrade_below_percent_min (65, the default) must be at least 2 below memory_percent (1)',
        '  2 | models: []',
        '> 3 | switching: { memory_percent: 1 }',
        '    |                              ^',
        '  raise memory_percent',
      ),
    ],
    [
      'version: 1\nmodels: [{ key: a, load: { ttl: 0s } }]',
      lines(
        'models.yaml:2:33: models[0].load.ttl: must be a duration above 0, such as 20s, 10m or 1h30m, not "0s"',
        '  1 | version: 1',
        '> 2 | models: [{ key: a, load: { ttl: 0s } }]',
        '    |                                 ^^',
        '  write a longer time, or remove the line',
      ),
    ],
    [
      'version: 1\nmodels: [{ key: a, tier: small }]',
      lines(
        'models.yaml:2:20: models[0].tier: unknown key "tier"',
        '  1 | version: 1',
        '> 2 | models: [{ key: a, tier: small }]',
        '    |                    ^^^^',
        '  did you mean "category"?',
      ),
    ],
    [
      'version: 1\nmodels: []\nswitching: { min_headroom: 1073741824, foreign_idle: 90 }',
      lines(
        'models.yaml:3:28: switching.min_headroom: must be a size such as 1GiB or 512MiB, not 1073741824',
        '  2 | models: []',
        '> 3 | switching: { min_headroom: 1073741824, foreign_idle: 90 }',
        '    |                            ^^^^^^^^^^',
        '  write 1073741824B (1GiB)',
        '',
        'models.yaml:3:54: switching.foreign_idle: must be a duration such as 20s, 10m or 1h30m, not 90',
        '  2 | models: []',
        '> 3 | switching: { min_headroom: 1073741824, foreign_idle: 90 }',
        '    |                                                      ^^',
        '  write 90s',
      ),
    ],
  ])('%j', (text, expected) => {
    expect(report(text)).toBe(expected);
  });

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['dashes', '- '.repeat(100_000)],
    ['closed brackets', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('says in one sentence that %s are nested too deep', (_, text) => {
    const { issues } = parseModelConfig(text);
    expect(issues.map(({ message, line }) => [message, line])).toEqual([
      ['lists and maps are nested too deeply to be read', 1],
    ]);
  });

  it('shows no error of the JavaScript engine for any depth', () => {
    const depths = Array.from({ length: 60 }, (_, index) => 100 + 20 * index);
    for (const depth of depths) {
      const text = `version: 1\nmodels: ${'['.repeat(depth)}${']'.repeat(depth)}\n`;
      for (const { message } of parseModelConfig(text).issues) {
        expect(message).not.toMatch(/stack/);
      }
    }
  });

  it('points to the mistake in a section that is used through an alias', () => {
    const text = lines(
      'version: 1',
      'models:',
      '  - { key: a, load: &fast { ttl: soon } }',
      '  - { key: b, load: *fast }',
    );
    expect(
      parseModelConfig(text).issues.map(({ line, column, path }) => [line, column, path]),
    ).toEqual([
      [3, 34, 'models[0].load.ttl'],
      [3, 34, 'models[1].load.ttl'],
    ]);
  });

  it('has no control characters, even where the file has escape sequences', () => {
    const text = 'version: 1\nmodels: []\n"\\e[31m": 1 # \u001b[2J\u202e\n';
    // eslint-disable-next-line no-control-regex -- the test searches for control characters
    expect(report(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});

describe('a configuration in TypeScript', () => {
  it('is refused with the same findings, which have a path and no line', () => {
    let thrown: unknown;
    try {
      defineModelConfig({
        version: 1,
        models: [{ key: 'a', load: { ttl: 'soon' } }],
        fallback_chains: { default: ['b'] },
      });
    } catch (error) {
      thrown = error;
    }
    expect(isModelConfigError(thrown)).toBe(true);
    expect(isModelConfigError(thrown) ? thrown.message : thrown).toBe(
      lines(
        'The configuration has 2 problems.',
        '',
        'models[0].load.ttl: must be a duration above 0, such as 20s, 10m or 1h30m, not "soon"',
        '',
        'fallback_chains.default[0]: no model "b" is configured',
        '  add it under models, or remove it here',
      ),
    );
  });

  it('equals the same configuration in YAML', () => {
    expect(
      defineModelConfig({ version: 1, models: [{ key: 'a', description: undefined }] }),
    ).toEqual(parseModelConfig('version: 1\nmodels: [{ key: a }]').config);
  });
});

describe('the error', () => {
  const { issues } = parseModelConfig('models: []', { file: 'models.yaml' });

  it('carries all issues and prints them', () => {
    const error = invalidConfigError('models.yaml', issues);
    expect(error).toMatchObject({ name: 'ModelConfigError', code: 'CONFIG_INVALID', issues });
    expect(
      error.message.startsWith(
        'models.yaml has a problem.\n\nmodels.yaml:1:1: version: "version" is missing',
      ),
    ).toBe(true);
  });

  it('is recognized across copies of the package by its brand', () => {
    const foreign = Object.defineProperty(
      new Error('x'),
      Symbol.for('@mai/model-config/ModelConfigError'),
      { value: true },
    );
    expect(isModelConfigError(foreign)).toBe(true);
    expect([new Error('x'), null, 'x'].some(isModelConfigError)).toBe(false);
  });
});

describe('a code frame', () => {
  it('keeps the caret under tabs and wide characters', () => {
    expect(codeFrame(divideIntoLines('a:\t漢字 x'), 6, 7)).toBe(
      lines('> 1 | a:    漢字 x', '    |            ^'),
    );
  });

  it('shows a window of a long line', () => {
    const text = `${'x'.repeat(300)}!${'y'.repeat(300)}`;
    const [row = '', carets = ''] = codeFrame(divideIntoLines(text), 300, 301).split('\n');
    expect(row.length).toBeLessThan(110);
    expect(row[carets.indexOf('^')]).toBe('!');
  });

  it('counts lines with all three kinds of line break', () => {
    expect(positionAt(divideIntoLines('a\nb\r\nc\rd'), 7)).toEqual({ line: 4, column: 1 });
    expect(positionAt(divideIntoLines('a\r\n'), 3)).toEqual({ line: 2, column: 1 });
    expect(positionAt(divideIntoLines(''), 0)).toEqual({ line: 1, column: 1 });
  });

  it('has the line without its break, whichever it is', () => {
    const text = 'a: 1\r\nbad\rlast\n';
    expect(codeFrame(divideIntoLines(text), 6, 9)).toBe(
      lines('  1 | a: 1', '> 2 | bad', '    | ^^^', '  3 | last'),
    );
    expect(positionAt(divideIntoLines(text), 15)).toEqual({ line: 4, column: 1 });
  });
});

describe('did you mean', () => {
  const known = ['default', 'coding', 'qwen/qwen3-4b-2507', 'openai/gpt-oss-20b'];
  it.each([
    ['defualt', 'default'],
    ['codng', 'coding'],
    ['Coding', 'coding'],
    ['gpt-oss-20b', 'openai/gpt-oss-20b'],
    ['lmstudio-community/gpt-oss-20b', 'openai/gpt-oss-20b'],
    ['qwen/qwen3-4b-2508', 'qwen/qwen3-4b-2507'],
    ['vision', null],
    ['co', 'coding'],
    ['c', null],
    ['', null],
  ])('%s: %s', (written, meant) => {
    expect(didYouMean(written, known)).toBe(meant);
  });
});
