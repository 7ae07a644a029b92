const CONTEXT_LINES = 2;

interface DiffLine {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** The changed lines between two texts, marked with `-` and `+`, with two lines around each change. */
export function lineDiff(before: string, after: string): string {
  const lines = diffLines(linesOf(before), linesOf(after));
  const near = lines.map((_, at) =>
    lines
      .slice(Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1)
      .some(({ mark }) => mark !== ' '),
  );
  if (!near.includes(true)) return '';
  return lines
    .flatMap(({ mark, text }, at) => {
      if (near[at] === true) return [`${mark} ${text}`];
      return at === 0 || near[at - 1] === true ? ['  ...'] : [];
    })
    .join('\n');
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** A shortest list of removals and additions, by the longest common subsequence. */
function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const start = before.findIndex((line, at) => line !== after[at]);
  const same = start < 0 ? Math.min(before.length, after.length) : start;
  const old = before.slice(same);
  const now = after.slice(same);
  // common[i][j]: length of the longest common subsequence of old from i and now from j.
  const common = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    const row = common[i];
    for (let j = now.length - 1; row !== undefined && j >= 0; j -= 1) {
      row[j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = before.slice(0, same).map((text) => ({ mark: ' ', text }));
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [oldLine, newLine] = [old[i], now[j]];
    if (oldLine !== undefined && oldLine === newLine) {
      lines.push({ mark: ' ', text: oldLine });
      [i, j] = [i + 1, j + 1];
    } else if (newLine === undefined || (oldLine !== undefined && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: '-', text: oldLine ?? '' });
      i += 1;
    } else {
      lines.push({ mark: '+', text: newLine });
      j += 1;
    }
  }
  return lines;
}
