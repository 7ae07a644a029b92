// Reads a trace of somebody else: one JSON object a line, {"tMs": 0, "othersBytes": 1000}.
import { readFileSync } from 'node:fs';

/**
 * The rows of a trace, in the order of time. Empty lines are left out.
 *
 * @throws Error with one sentence, which names the line that is wrong
 */
export function readTrace(file) {
  const rows = [];
  for (const [index, line] of readText(file).split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = parseLine(line);
    const wrong = whatIsWrong(row, rows.at(-1) ?? null);
    if (wrong !== null) throw new Error(`${file}, line ${index + 1}: ${wrong}.`);
    rows.push({ tMs: row.tMs, othersBytes: row.othersBytes });
  }
  if (rows.length === 0) throw new Error(`${file} has no rows.`);
  if (rows.at(-1).tMs === 0)
    throw new Error(`${file} has no row with a tMs above 0, at which the run ends.`);
  return rows;
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new Error(`${file} cannot be read (${error.code}).`, { cause: error });
  }
}

/** `undefined`: the line is not JSON. */
function parseLine(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function whatIsWrong(row, before) {
  if (row === undefined) return 'this is not JSON';
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return 'this is not an object';
  for (const key of ['tMs', 'othersBytes']) {
    const value = row[key];
    if (value === undefined) return `${key} is missing`;
    if (typeof value !== 'number' || !(value >= 0)) {
      return `${key} must be a number of at least 0, not ${JSON.stringify(value)}`;
    }
  }
  if (before !== null && row.tMs < before.tMs) {
    return `tMs ${row.tMs} comes before ${before.tMs} of the row above`;
  }
  return null;
}
