import { parseModelConfig } from '../parse/parse-model-config.js';

const file = (aliases: string): string => `version: 1
models: [{ key: acme/coder-7b }]
fallback_chains: { coding: [acme/coder-7b] }
gateway:
  aliases:
${aliases}`;
const findings = (aliases: string) =>
  parseModelConfig(file(aliases)).issues.map(({ code, message, suggestion }) => ({
    code,
    message,
    suggestion,
  }));

describe('aliases of the gateway', () => {
  it('are read in the order of the file', () => {
    const { config } = parseModelConfig(
      file(`    claude-*-haiku*: auto:small+coding
    "*": auto
    mine: acme/coder-7b
    exact: acme/coder-7b@q8_0
    plain: auto:default
    eyes: auto:small+vision
    second: eyes`),
    );
    expect(config?.gateway.aliases).toEqual([
      { pattern: 'claude-*-haiku*', target: 'auto:small+coding' },
      { pattern: '*', target: 'auto' },
      { pattern: 'mine', target: 'acme/coder-7b' },
      { pattern: 'exact', target: 'acme/coder-7b@q8_0' },
      { pattern: 'plain', target: 'auto:default' },
      { pattern: 'eyes', target: 'auto:small+vision' },
      { pattern: 'second', target: 'eyes' },
    ]);
  });

  it('are none by default', () => {
    expect(parseModelConfig('version: 1\nmodels: []').config?.gateway).toEqual({ aliases: [] });
  });

  it.each([
    [
      '    a: auto:codin',
      'there is no chain, category or capability "codin"',
      'did you mean "auto:coding"?',
    ],
    [
      '    a: auto:small+codin',
      'there is no chain, category or capability "codin"',
      'did you mean "auto:small+coding"?',
    ],
    [
      '    a: auto:xyz',
      'there is no chain, category or capability "xyz"',
      'known: coding, default, small, medium, large, chat, reasoning, analysis, tools, vision, embedding',
    ],
    [
      '    a: acme/coder-8b',
      'no model "acme/coder-8b" is configured',
      'did you mean "acme/coder-7b"?',
    ],
    ['    a: atuo', 'no model "atuo" is configured', 'did you mean "auto"?'],
    ['    a: a', 'no model "a" is configured', 'add it under models, or write auto'],
    ['    a: other', 'no model "other" is configured', 'add it under models, or write auto'],
  ])('%s is refused', (aliases, message, suggestion) => {
    expect(findings(aliases)).toEqual([{ code: 'UNKNOWN_REFERENCE', message, suggestion }]);
  });

  it('name each wrong type once', () => {
    expect(findings('    a: 3')).toHaveLength(1);
  });
});
