// Checks that the folders of a package import each other one way: a folder imports no folder beside it that imports it, itself
// or through others. A folder and the folders inside it are one subject, so they may import each other. Tests are left out.
import { sourceImports } from './workspace.mjs';

/** By folder, the folders beside it that it imports, each with one of the imports. */
const imports = new Map();
for (const { source, dependencies } of sourceImports()) {
  for (const { resolved } of dependencies) addImport(source, resolved);
}

const cycles = [...imports.keys()].sort().flatMap((folder) => cycleThrough(folder) ?? []);
// Each cycle is found once for each of its folders.
const shown = new Map(cycles.map((cycle) => [[...cycle].sort().join(), cycle]));
for (const cycle of shown.values()) {
  console.error('These folders import each other in a cycle:');
  cycle.forEach((from, i) => {
    const to = cycle[(i + 1) % cycle.length];
    console.error(`  ${from} -> ${to}, for example ${imports.get(from).get(to)}`);
  });
}
if (shown.size > 0) {
  console.error('Move what both folders need to the one whose subject it is, or join the folders.');
  process.exit(1);
}
console.log('The folders of each package import each other one way.');

/** An import connects two folders of one parent: those in which the paths of the two files first differ. */
function addImport(source, target) {
  const [from, to] = [source.split('/'), target.split('/')];
  const at = from.findIndex((name, i) => name !== to[i]);
  // Above src the paths differ by package, and at the end of a path is the file.
  const isWithinPackage = at > 2;
  if (!isWithinPackage || at === from.length - 1 || at >= to.length - 1) return;
  const [folder, beside] = [from, to].map((names) => names.slice(0, at + 1).join('/'));
  const known = imports.get(folder) ?? new Map();
  imports.set(folder, known);
  if (!known.has(beside)) known.set(beside, `${source} imports ${target}`);
}

/** The shortest cycle of folders that begins at a folder, as a list of one cycle; null where there is none. */
function cycleThrough(start) {
  const paths = [[start]];
  const seen = new Set();
  for (const path of paths) {
    for (const next of imports.get(path.at(-1))?.keys() ?? []) {
      if (next === start) return [path];
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return null;
}
