import { createLiveView } from './live-view.js';

/** A terminal of some size that notes what is written. */
function openScreen(columns: number, rows: number, isTTY = true) {
  let written = '';
  const stdout = { write: (text: string) => void (written += text), isTTY, columns, rows };
  return {
    view: createLiveView({ stdout, unicode: true }),
    stdout,
    /** What was written since the last call. */
    take: (): string => {
      const text = written;
      written = '';
      return text;
    },
  };
}

const ESC = '\u001b';
const UP = new RegExp(`${ESC}\\[(\\d+)A\r`);
const upOf = (text: string): number => Number(UP.exec(text)?.[1] ?? 0);

test('each frame is drawn over the last one, in one write', () => {
  const { view, take } = openScreen(40, 24);
  view.show('one\ntwo\n');
  expect(upOf(take())).toBe(0);
  view.show('three\n');
  const text = take();
  expect(upOf(text)).toBe(2);
  // What is left of a taller frame is cleared.
  expect(text.endsWith(`${ESC}[Kthree\n${ESC}[J`)).toBe(true);
});

test('a frame never has more rows and columns than the terminal', () => {
  const { view, take } = openScreen(10, 4);
  view.show(`${'x'.repeat(30)}\nb\nc\nd\ne\n`);
  const text = take();
  expect(text).toContain('x'.repeat(9));
  expect(text).not.toContain('x'.repeat(10));
  expect(text.split('\n')).toHaveLength(4);
});

test('in a window that has become narrower, the wrapped lines of the last frame are drawn over', () => {
  const { view, take, stdout } = openScreen(40, 24);
  view.show(`${'x'.repeat(35)}\n\nshort\n`);
  take();
  stdout.columns = 12;
  view.show('y\n');
  // 35 columns are three rows of 12; the empty line and the short one are a row each.
  expect(upOf(take())).toBe(5);
});

test('the cursor is hidden with each frame, and shown at the end', () => {
  const { view, take } = openScreen(40, 24);
  for (const frame of ['a', 'b']) {
    view.show(frame);
    expect(take()).toContain('\u001b[?25l');
  }
  view.close();
  expect(take()).toBe('\u001b[?25h');
});

test('elsewhere, frames follow each other without control sequences', () => {
  const { view, take } = openScreen(40, 24, false);
  view.show('a\n');
  view.show('b\n');
  view.close();
  expect(take()).toBe('a\n\nb\n');
});
