import { chooseIdentifier, isForeign } from './ownership.js';

describe('isForeign', () => {
  it.each([
    ['mai/qwen/qwen3-8b', 'qwen/qwen3-8b', false],
    ['mai/qwen/qwen3-8b#2', 'qwen/qwen3-8b', false],
    ['qwen/qwen3-8b', 'qwen/qwen3-8b', true],
    ['qwen/qwen3-8b:2', 'qwen/qwen3-8b', true],
    ['my-model', 'qwen/qwen3-8b', true],
    // The name of the publisher equals the prefix.
    ['mai/coder', 'mai/coder', true],
    ['mai/coder:2', 'mai/coder', true],
    ['mai/coder@q8_0', 'mai/coder', true],
    ['mai/mai/coder', 'mai/coder', false],
  ])('%s of %s: %s', (instanceIdentifier, modelKey, foreign) => {
    expect(isForeign({ instanceIdentifier, modelKey })).toBe(foreign);
  });
});

describe('chooseIdentifier', () => {
  it('takes the first free identifier, and that identifier counts as ours', () => {
    const taken: string[] = [];
    for (let copy = 0; copy < 3; copy += 1) taken.push(chooseIdentifier('mai/coder', taken));
    expect(taken).toEqual(['mai/mai/coder', 'mai/mai/coder#2', 'mai/mai/coder#3']);
    expect(
      taken.some((instanceIdentifier) => isForeign({ instanceIdentifier, modelKey: 'mai/coder' })),
    ).toBe(false);
  });
});
