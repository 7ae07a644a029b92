import { padEnd, padStart, textWidth, truncate, truncateMiddle, wrap, wrapBehind } from '@mai/host';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { createStyle } from './style.js';

describe('textWidth', () => {
  test.each([
    '',
    'qwen/qwen3-4b',
    'größe',
    'e\u0301',
    '通义千问 7B',
    '가나다',
    '日本語モデル',
    '🦙 Llama',
    '❤️',
    '👩‍💻',
    '│█▏░·…→✓✗',
    'ﬁ ㎏',
  ])('agrees with string-width on %j', (text) => {
    expect(textWidth(text)).toBe(stringWidth(text));
  });

  test('agrees with string-width on texts in many scripts', () => {
    const character = fc.constantFrom(...'aZ0/-_.@ äßéчшאب中文モ한글🦙🚀'.split(/(?:)/u));
    fc.assert(
      fc.property(fc.array(character, { maxLength: 20 }), (characters) => {
        const text = characters.join('');
        expect(textWidth(text)).toBe(stringWidth(text));
      }),
    );
  });

  test('counts no columns for colours', () => {
    expect(textWidth(createStyle(true).bad('日本'))).toBe(4);
  });
});

describe('truncate', () => {
  test('returns a text that fits unchanged', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef');
  });

  test('marks the cut with an ellipsis inside the width', () => {
    expect(truncate('abcdef', 5)).toBe('abcd…');
    expect(truncate('abcdef', 5, '...')).toBe('ab...');
  });

  test('closes a colour that is open at the cut', () => {
    const { good } = createStyle(true);
    expect(truncate(good('abcdef'), 4)).toBe('\u001b[32mabc…\u001b[39m');
  });

  test('never exceeds the width, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 30 }),
        (text, width) => {
          expect(textWidth(truncate(text, width))).toBeLessThanOrEqual(width);
          expect(textWidth(truncateMiddle(text, width))).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});

test('truncateMiddle keeps both ends of a name', () => {
  expect(truncateMiddle('lmstudio-community/Qwen3-4B-GGUF', 16)).toBe(
    'lmstudi…4B-GGUF'.slice(0, 7) + '…-4B-GGUF'.slice(0, 9),
  );
});

test('padding counts columns, not characters', () => {
  expect(padEnd('日', 4)).toBe('日  ');
  expect(padStart('日', 4)).toBe('  日');
});

test('wrap breaks at spaces, keeps longer words whole and respects line breaks', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('a veryveryverylongword b', 6)).toEqual(['a', 'veryveryverylongword', 'b']);
  expect(wrap('a\nb', 10)).toEqual(['a', 'b']);
  expect(wrap('at 95 %: 19.8 GiB', 8)).toEqual(['at 95 %:', '19.8 GiB']);
  expect(wrap('limit 95 %', 8)).toEqual(['limit', '95 %']);
});

test('wrap keeps a short command on one line, and breaks a long one', () => {
  expect(wrap('see what is in `mai keys` now', 22)).toEqual(['see what is in', '`mai keys` now']);
  expect(wrap('run `mai compare one two`', 16)).toEqual(['run `mai compare', 'one two`']);
});

test('wrapBehind begins later lines below the text, also behind a coloured label', () => {
  expect(wrapBehind('Note  ', 'one two three', 13)).toEqual(['Note  one two', '      three']);
  expect(wrapBehind('\u001b[1m日\u001b[22m ', 'a b', 4)).toEqual([
    '\u001b[1m日\u001b[22m a',
    '   b',
  ]);
});
