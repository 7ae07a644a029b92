/** Prints rows below their titles. The first column is left-aligned, the others are right-aligned. */
export function printTable(titles, rows) {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column]).length)),
  );
  for (const row of [titles, ...rows]) {
    const cells = row.map((cell, column) =>
      column === 0 ? String(cell).padEnd(widths[column]) : String(cell).padStart(widths[column]),
    );
    console.log(cells.join('   ').trimEnd());
  }
  console.log('');
}

/** Prints whether a figure meets its target, and returns the answer. Figures are ratios or counts. */
export function judge(what, figure, atMost) {
  const isMet = figure <= atMost;
  console.log(
    `${isMet ? 'met   ' : 'MISSED'} ${what}: ${format(figure)} (target: at most ${format(atMost)})`,
  );
  return isMet;
}

/** A number with three significant digits. */
export function format(figure) {
  return Math.abs(figure) >= 100 ? figure.toFixed(0) : String(Number(figure.toPrecision(3)));
}
