import { createPastedText } from './pasted-text.js';

const BEGIN = '\u001b[200~';
const END = '\u001b[201~';
const paste = (text: string): string => `${BEGIN}${text}${END}`;

test('what is typed goes on unchanged, also arrow keys', () => {
  const { take, expand } = createPastedText();
  expect(take('abc\u001b[A\u001b[D\r')).toBe('abc\u001b[A\u001b[D\r');
  expect(expand('abc')).toBe('abc');
});

test('a short pasted line is put into the line, without its line break and without control characters', () => {
  const { take } = createPastedText();
  expect(take(`a ${paste('b\tc\u001b[31m\u0007\r')} d`)).toBe('a b\tc[31m d');
});

test('pasted lines are one name in the line, and come back when the line is asked', () => {
  const { take, expand } = createPastedText();
  const line = take(`Why? ${paste('one\r\ntwo\r\rthree\n')} And this: ${paste('$&\nx')}`);
  expect(line).toBe('Why? [pasted text 1, 4 lines] And this: [pasted text 2, 2 lines]');
  expect(expand(line)).toBe('Why? one\ntwo\n\nthree And this: $&\nx');
});

test('a long pasted line is a name, too', () => {
  const { take, expand } = createPastedText();
  const text = 'x'.repeat(5000);
  const line = take(paste(text));
  expect(line).toBe('[pasted text 1, 5,000 characters]');
  expect(expand(line)).toBe(text);
});

test.each(Array.from({ length: 30 }, (_, size) => size + 1))(
  'the marks and the characters may arrive in pieces of %i bytes',
  (size) => {
    const { take, expand } = createPastedText();
    const bytes = Buffer.from(`ä${paste('ö\nü')}€${paste('b')}!`);
    let line = '';
    for (let at = 0; at < bytes.length; at += size) line += take(bytes.subarray(at, at + size));
    expect(line).toBe('ä[pasted text 1, 2 lines]€b!');
    expect(expand(line)).toBe('äö\nü€b!');
  },
);

test('Ctrl-C ends a pasted text whose end never comes', () => {
  const { take } = createPastedText();
  expect(take(`a${BEGIN}b`)).toBe('a');
  expect(take('c\u0003d')).toBe('\u0003d');
});
