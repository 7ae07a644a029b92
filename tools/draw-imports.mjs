// Draws the imports between packages, as the source files contain them, into docs/ARCHITECTURE.md (Mermaid). With
// --check it changes nothing and fails where the picture is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, sourceImports } from './workspace.mjs';

const FILE = path.join(root, 'docs', 'ARCHITECTURE.md');
const START = '<!-- imports: drawn by tools/draw-imports.mjs -->';
const END = '<!-- end of imports -->';

const document = readFileSync(FILE, 'utf8');
const [before, rest] = document.split(START);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`${FILE} lacks the marks around the picture.`);
const drawn = `${before}${START}\n\n${draw(importsByPackage())}\n\n${END}${after}`;

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, drawn);
} else if (drawn !== document) {
  console.error(
    'The picture in docs/ARCHITECTURE.md is out of date. Run: node tools/draw-imports.mjs',
  );
  process.exit(1);
}

/** The packages that each package imports, without the imports of tests. */
function importsByPackage() {
  const imports = new Map();
  for (const { source, dependencies } of sourceImports()) {
    const from = packageOf(source);
    const targets = imports.get(from) ?? new Set();
    imports.set(from, targets);
    for (const { resolved } of dependencies) targets.add(packageOf(resolved));
  }
  return imports;
}

function packageOf(file) {
  return file.split('/')[1];
}

/**
 * The arrows to memory-ledger are dotted. Almost every package imports it, and solid arrows would hide the
 * others.
 */
function draw(imports) {
  const lines = ['```mermaid', 'flowchart TD'];
  for (const from of [...imports.keys()].sort()) {
    const targets = [...imports.get(from)].filter((to) => to !== from).sort();
    if (targets.length === 0) lines.push(`  ${from}`);
    for (const to of targets) {
      lines.push(`  ${from} ${to === 'memory-ledger' ? '-.->' : '-->'} ${to}`);
    }
  }
  return [...lines, '```'].join('\n');
}
