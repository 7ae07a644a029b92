import {
  argumentsOfText,
  nameInNamespace,
  readResponseTools,
  textOfArguments,
  toolFieldsOf,
} from './response-tools.js';

const FUNCTION = { type: 'function', name: 'read', description: 'Reads', parameters: {} };

describe('the tools of a response', () => {
  it('are functions for the model, and what the server would run is left out', () => {
    const group = { type: 'namespace', name: 'files', tools: [FUNCTION, { type: 'web_search' }] };
    const custom = { type: 'custom', name: 'patch', description: 'Patches' };
    const body = { tools: [FUNCTION, { type: 'image_generation' }, group, custom] };
    const tools = readResponseTools(body);
    const names = tools.forModel.map((tool) => (tool['function'] as { name: string }).name);
    expect(names).toEqual(['read', 'files__read', 'patch']);
    expect(tools.offered).toEqual([FUNCTION, { ...group, tools: [FUNCTION] }, custom]);
    expect(tools.called('files__read')).toEqual({
      kind: 'function',
      name: 'read',
      namespace: 'files',
    });
    expect(tools.called('patch').kind).toBe('custom');
    expect(tools.called('other')).toEqual({ kind: 'function', name: 'other', namespace: null });
  });

  it.each([
    [null, 'read'],
    ['', 'read'],
    ['files', 'files__read'],
    ['mcp__files__', 'mcp__files__read'],
  ])('of the namespace %j have the name %s', (namespace, name) => {
    expect(nameInNamespace('read', namespace)).toBe(name);
  });

  it.each([
    ['auto', 'auto'],
    [undefined, undefined],
    [
      { type: 'function', name: 'read', namespace: 'files' },
      { type: 'function', function: { name: 'files__read' } },
    ],
    [
      { type: 'custom', name: 'read' },
      { type: 'function', function: { name: 'read' } },
    ],
    [
      {
        type: 'allowed_tools',
        mode: 'required',
        tools: [{ type: 'function', name: 'read' }, { type: 'web_search' }],
      },
      {
        type: 'allowed_tools',
        allowed_tools: {
          mode: 'required',
          tools: [{ type: 'function', function: { name: 'read' } }],
        },
      },
    ],
    [{ type: 'allowed_tools', mode: 'auto', tools: [{ type: 'web_search' }] }, undefined],
  ])('are chosen by %j', (choice, expected) => {
    const body = { tools: [FUNCTION], tool_choice: choice };
    expect(toolFieldsOf(body, readResponseTools(body))['tool_choice']).toEqual(expected);
  });

  it('without a name are refused', () => {
    const body = { tools: [{ type: 'namespace', name: 'x', tools: [{ type: 'function' }] }] };
    expect(() => readResponseTools(body)).toThrow(/tools\[0\]\.tools\[0\]\.name/);
  });
});

test.each(['', 'two\nlines "quoted"'])('the free text %j survives its arguments', (text) => {
  expect(textOfArguments(argumentsOfText(text))).toBe(text);
});

test.each(['{"input":"a', '{"other":1}', '3'])('arguments without the text stay: %s', (text) => {
  expect(textOfArguments(text)).toBe(text);
});
