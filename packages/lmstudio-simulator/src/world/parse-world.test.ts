import { exampleWorld, isSimulatorError, parseWorld } from '../index.js';
import type { ExampleWorldName } from '../index.js';

test('an empty world is the default world: eight models on a mid-size desktop', () => {
  const world = parseWorld({});
  expect(world.models).toHaveLength(8);
  expect(world.models.filter(({ type }) => type === 'embedding')).toHaveLength(1);
  expect(world.models.some(({ vision }) => vision)).toBe(true);
  expect(new Set(world.models.map(({ modelKey }) => modelKey)).size).toBe(8);
  expect(world).toEqual(parseWorld());
});

test('a model needs only key and size, because the other fields have defaults', () => {
  const [model] = parseWorld({ models: [{ modelKey: 'acme/thing-7b', sizeBytes: 4e9 }] }).models;
  expect(model).toMatchObject({
    type: 'llm',
    publisher: 'acme',
    displayName: 'thing-7b',
    format: 'gguf',
    maxContextLength: 32_768,
  });
});

test.each<ExampleWorldName>(['desktop', 'laptop', 'mac', 'workstation', 'link'])(
  'the example world %s is valid, and is the same after JSON',
  (name) => {
    const world = parseWorld(JSON.parse(JSON.stringify(exampleWorld(name))));
    expect(world).toEqual(parseWorld(exampleWorld(name)));
  },
);

test('every problem is named with its path', () => {
  const broken = {
    machine: { ramBytes: -1, cores: 8 },
    models: [{ modelKey: '', sizeBytes: 1.5 }],
    tokens: ['secret'],
  };
  try {
    parseWorld(broken);
    throw new Error('was accepted');
  } catch (error) {
    if (!isSimulatorError(error)) throw error;
    expect(error.code).toBe('WORLD_INVALID');
    const places = error.issues.map((issue) => issue.split(':')[0]);
    expect(new Set(places)).toEqual(
      new Set([
        'machine.ramBytes',
        'machine',
        'models.0.modelKey',
        'models.0.sizeBytes',
        'tokens.0',
      ]),
    );
    expect(error.message).not.toContain('secret');
  }
});

test.each([null, 7, 'desktop', []])('refuses %p as a world', (input) => {
  expect(() => parseWorld(input)).toThrow('The world is not valid');
});
