import { isClientSettingsError } from '../client-settings-error.js';
import type { FormatName } from './format.js';
import { editSettings, parseSettings } from './edit-settings.js';
import type { SettingPath, Value } from './value.js';

const edit = (format: FormatName, text: string, path: SettingPath, value: Value | undefined) =>
  editSettings(format, text, [{ path, value }], 'FILE');

const ENTRY = { key: 'name', is: 'Mai' };

describe('JSON with comments', () => {
  test.each([
    ['an empty file', '', '{\n  "a": "x"\n}\n'],
    ['a file of white space', ' \n', '{\n  "a": "x"\n}\n'],
    ['a file of comments', '// mine\n', '// mine\n{\n  "a": "x"\n}\n'],
    ['a byte order mark', '\uFEFF{}', '\uFEFF{\n  "a": "x"\n}'],
    ['tabs', '{\n\t"b": 1\n}\n', '{\n\t"b": 1,\n\t"a": "x"\n}\n'],
    ['a trailing comma', '{\n  "b": 1, // one\n}\n', '{\n  "b": 1, // one\n  "a": "x",\n}\n'],
    [
      'a comment after the last setting',
      '{\n  "b": 1 // one\n}\n',
      '{\n  "b": 1, // one\n  "a": "x"\n}\n',
    ],
  ])('%s gets a setting', (_, before, after) => {
    expect(edit('jsonc', before, ['a'], 'x')).toBe(after);
  });

  test('an object of objects is added after a comment, with the indentation of the file', () => {
    const before = '{\n\t"b": {\n\t\t"c": 1 /* one */\n\t}\n}\n';
    expect(edit('jsonc', before, ['b', 'd', 'e'], 2)).toBe(
      '{\n\t"b": {\n\t\t"c": 1, /* one */\n\t\t"d": {\n\t\t\t"e": 2\n\t\t}\n\t}\n}\n',
    );
  });

  test('a list in the place of an object is refused', () => {
    expect(() => edit('jsonc', '{"env": []}', ['env', 'A'], 'x')).toThrow(/env\.A in FILE/);
    expect(() => edit('jsonc', '[]', ['a'], 'x')).toThrow(/FILE cannot be read as JSONC/);
  });

  test('a key that is there twice is refused', () => {
    expect(() => edit('jsonc', '{"a": 1, "a": 2}', ['a'], 'x')).toThrow(/cannot be changed safely/);
  });

  test('a syntax error is named with its line and column', () => {
    expect(() => parseSettings('jsonc', '{\n  "a": ,\n}', 'FILE')).toThrow(/line 2, column 8/);
  });
});

describe('YAML', () => {
  test.each([
    ['an empty file', '', 'a: x\n'],
    ['a file of comments', '# mine\n', '# mine\na: x\n'],
    ['a key without a value', 'a:\nb: 1\n', 'a: x\nb: 1\n'],
    ['a key without a value, with a comment', 'a: # todo\nb: 1\n', 'a: x # todo\nb: 1\n'],
    ['a quoted key', '"a": "y"\n', 'a: x\n'],
    ['a text of several lines', 'a: |\n  one\n  two\nb: 1\n', 'a: x\nb: 1\n'],
    ['a value with a comment', "a: 'y' # why\n", 'a: x # why\n'],
  ])('%s gets a setting', (_, before, after) => {
    expect(edit('yaml', before, ['a'], 'x')).toBe(after);
  });

  test.each([
    'true',
    'null',
    '1.0.0',
    '12',
    '~',
    'a: b',
    '# no',
    'x #y',
    '',
    ' x',
    "it's",
    'yes',
    '{a}',
  ])('the text %j is read back as the same text', (value) => {
    expect(parseSettings('yaml', edit('yaml', '', ['a'], value), 'FILE')).toEqual({ a: value });
  });

  test.each([
    ['no list', 'b: 1\n', 'b: 1\nmodels:\n  - name: Mai\n    model: auto\n'],
    ['an empty list', 'models: []\nb: 1\n', 'models:\n  - name: Mai\n    model: auto\nb: 1\n'],
    [
      'a list without a value',
      'models:\nb: 1\n',
      'models:\n  - name: Mai\n    model: auto\nb: 1\n',
    ],
    [
      'a list that is not indented',
      'models:\n- name: A\n# end\nb: 1\n',
      'models:\n- name: A\n- name: Mai\n  model: auto\n# end\nb: 1\n',
    ],
    [
      'a list with our entry in the middle',
      'models:\n  - name: A\n  - name: Mai\n    old: 1\n  - name: B\n',
      'models:\n  - name: A\n  - name: Mai\n    model: auto\n  - name: B\n',
    ],
  ])('%s gets an entry', (_, before, after) => {
    expect(edit('yaml', before, ['models', ENTRY], { name: 'Mai', model: 'auto' })).toBe(after);
  });

  test('an entry is removed, and the last one leaves an empty list', () => {
    const list = 'models:\n  - name: A\n  - name: Mai\n    x: 1\nb: 1\n';
    const one = edit('yaml', list, ['models', ENTRY], undefined);
    expect(one).toBe('models:\n  - name: A\nb: 1\n');
    const last = edit('yaml', 'models:\n  - name: Mai\nb: 1\n', ['models', ENTRY], undefined);
    expect(last).toBe('models: []\nb: 1\n');
  });

  test.each([
    ['a list in brackets', 'models: [{name: A}]\n'],
    ['an object in the place of a list', 'models:\n  a: b\n'],
    ['a text in the place of a list', 'models: mine\n'],
    ['an object in braces', '{models: [{name: A}]}\n'],
  ])('%s is refused', (_, text) => {
    const refused = () => edit('yaml', text, ['models', ENTRY], { name: 'Mai' });
    expect(refused).toThrow(/cannot be changed safely/);
  });

  test('a syntax error is named with its line', () => {
    expect(() => parseSettings('yaml', 'a: 1\nb: [', 'FILE')).toThrow(/line 2/);
  });
});

describe('TOML', () => {
  test.each([
    ['an empty file', '', 'a = "x"\n'],
    ['a file of comments', '# mine\n', '# mine\na = "x"\n'],
    ['only a table', '[t]\na = 1\n', 'a = "x"\n\n[t]\na = 1\n'],
    ['a comment and a table', '# mine\n\n[t]\nb = 1\n', '# mine\n\na = "x"\n\n[t]\nb = 1\n'],
    ['the key with a comment', 'a = "y" # "why"\n', 'a = "x" # "why"\n'],
    [
      'brackets, hashes and keys in strings',
      'b = """\n[t]\na = 1 # no\n"""\nc = [\n  ["[t]"], # ]\n]\n[t]\na = 2\n',
      'b = """\n[t]\na = 1 # no\n"""\nc = [\n  ["[t]"], # ]\n]\na = "x"\n[t]\na = 2\n',
    ],
  ])('%s gets a setting at the top level', (_, before, after) => {
    expect(edit('toml', before, ['a'], 'x')).toBe(after);
  });

  test.each([
    ['no table', 'a = 1\n', 'a = 1\n\n[p.mai]\nx = 1\n'],
    ['a file without a last line end', 'a = 1', 'a = 1\n\n[p.mai]\nx = 1\n'],
    [
      'an older table with tables in it',
      '[p.mai]\ny = 2 # old\n[p.mai.sub]\nz = 3\n\n# Mine\n[q]\nb = 1\n',
      '[p.mai]\nx = 1\n\n# Mine\n[q]\nb = 1\n',
    ],
    ['a table with a longer name', '[p.maid]\ny = 2\n', '[p.maid]\ny = 2\n\n[p.mai]\nx = 1\n'],
  ])('%s gets our table', (_, before, after) => {
    expect(edit('toml', before, ['p', 'mai'], { x: 1 })).toBe(after);
  });

  test.each([
    ['an empty inline table', 'p = {}\n', 'p = { mai = { x = 1 } }\n'],
    [
      'an inline table with another entry',
      'p = { a = { c = "}," } } # mine\nq = 1\n',
      'p = { a = { c = "}," }, mai = { x = 1 } } # mine\nq = 1\n',
    ],
    [
      'an inline table with an older entry in the middle',
      "p = {a=[1, {b=2}], mai = { x = 2, y = 'z' }, c=3}\n",
      'p = {a=[1, {b=2}], mai = { x = 1 }, c=3}\n',
    ],
    ['an inline table in a table', '[p]\nmai = { x = 2 }\n', '[p]\nmai = { x = 1 }\n'],
  ])('%s gets our entry', (_, before, after) => {
    expect(edit('toml', before, ['p', 'mai'], { x: 1 })).toBe(after);
  });

  test.each([
    ['the only entry', 'p = { mai = { x = 1 } }\n', 'p = {}\n'],
    ['the first entry', 'p = { mai = { x = 1 }, a = 1 }\n', 'p = { a = 1 }\n'],
    ['the last entry', 'p = { a = 1, mai = { x = 1 } }\n', 'p = { a = 1 }\n'],
    ['an entry that is not there', 'p = { a = 1 }\n', 'p = { a = 1 }\n'],
  ])('%s is removed from an inline table', (_, before, after) => {
    expect(edit('toml', before, ['p', 'mai'], undefined)).toBe(after);
  });

  test.each([
    ['keys with dots', 'p.mai.x = 2\n'],
    ['keys with dots in an inline table', 'p = { mai.x = 2 }\n'],
  ])('%s is refused', (_, text) => {
    expect(() => edit('toml', text, ['p', 'mai'], { x: 1 })).toThrow(/p\.mai in FILE/);
  });

  test.each([
    ['no table', 'a = 1\n', 'a = 1\n\n[t]\nk = false\n'],
    ['the table', '[t]\na = 1\n\n[u]\nb = 1\n', '[t]\na = 1\nk = false\n\n[u]\nb = 1\n'],
    ['an empty table', '[t]\n[u]\nk = 1\n', '[t]\nk = false\n[u]\nk = 1\n'],
    ['the key', '[t]\nk = true # on\na = 1\n', '[t]\nk = false # on\na = 1\n'],
    ['a table inside it', '[t.role]\nk = 1\n', '[t.role]\nk = 1\n\n[t]\nk = false\n'],
  ])('%s gets a key of a table, which keeps its others', (_, before, after) => {
    const edited = edit('toml', before, ['t', 'k'], false);
    expect(edited).toBe(after);
    const removed = edit('toml', edited, ['t', 'k'], undefined);
    expect(removed).not.toContain('k = false');
    expect(edit('toml', removed, ['t', 'other'], undefined)).toBe(removed);
  });

  test('an inline table gets a key, which keeps its others', () => {
    const before = 't = { k = true, a = 1 }\n';
    const edited = edit('toml', before, ['t', 'k'], false);
    expect(edited).toBe('t = { k = false, a = 1 }\n');
    expect(edit('toml', edited, ['t', 'k'], undefined)).toBe('t = { a = 1 }\n');
    expect(edit('toml', 't = { a = { b = 1 } }', ['t', 'c', 'd'], 2)).toBe(
      't = { a = { b = 1 }, c.d = 2 }',
    );
  });

  test('a key with a dot is not changed to a key of a table', () => {
    expect(() => edit('toml', 't.k = true\n', ['t', 'k'], false)).toThrow(/t\.k in FILE/);
  });

  test('a byte order mark stays at the start', () => {
    expect(edit('toml', '\uFEFFa = 1\n', ['m'], 'x')).toBe('\uFEFFa = 1\nm = "x"\n');
    expect(edit('toml', '\uFEFFa = 1\n', ['p', 'mai'], { x: 1 })).toBe(
      '\uFEFFa = 1\n\n[p.mai]\nx = 1\n',
    );
  });

  test('integers of 64 bits, dates and infinity stay as they are written', () => {
    const before = 'a = 9223372036854775807\nb = 0xDEAD_BEEF\nc = 1979-05-27\nd = -inf\n';
    expect(edit('toml', before, ['m'], 'x')).toBe(`${before}m = "x"\n`);
  });

  test('a syntax error is named', () => {
    expect(() => parseSettings('toml', 'a = \n', 'FILE')).toThrow(/FILE cannot be read as TOML/);
  });
});

test('a file of several YAML documents is refused in plain words', () => {
  expect(() => parseSettings('yaml', 'a: 1\n---\nb: 2\n', 'FILE')).toThrow(
    'FILE cannot be read as YAML: it contains several documents. Correct the file',
  );
});

test('an error says its code and is recognised', () => {
  let caught: unknown = null;
  try {
    parseSettings('toml', 'a', 'FILE');
  } catch (error) {
    caught = error;
  }
  expect(isClientSettingsError(caught) && caught.code).toBe('FILE_INVALID');
  expect(isClientSettingsError(new Error('x'))).toBe(false);
});
