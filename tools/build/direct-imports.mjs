// An esbuild plugin: a name that a source file imports from a workspace package is imported from the file that defines it.
//
// A package's index.ts names all of its files. So a program that imports one name of it would load all files that some
// other part of the program needs. esbuild splits programs by files, and leaves out no file of an index.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const SOURCES = /[\\/](?:packages|apps)[\\/][^\\/]+[\\/]src[\\/].*\.ts$/;
const IMPORT = /^import (?!type )\{([^}]*)\} from '(@mai\/[^'/]+)';/gm;
const EXPORT = /^export (?!type )\{([^}]*)\} from '([^']+)';/gm;

/** @param {readonly string[]} libraries packages that are left as they are */
export function directImports(libraries) {
  return {
    name: 'direct-imports',
    setup({ onLoad, resolve }) {
      const indexes = new Map();

      /** The exported names of an index.ts, each with its name in the file that defines it. */
      async function namesOf(specifier, resolveDir) {
        const { path: index } = await resolve(specifier, { kind: 'import-statement', resolveDir });
        const known = indexes.get(index);
        if (known !== undefined) return known;
        const names = new Map();
        indexes.set(index, names);
        const folder = path.dirname(index);
        for (const [, list, from] of readFileSync(index, 'utf8').matchAll(EXPORT)) {
          for (const { name, as } of partsOf(list)) names.set(as, await origin(name, from, folder));
        }
        return names;
      }

      async function origin(name, from, folder) {
        if (!from.startsWith('@mai/') || libraries.includes(from)) {
          return { name, file: from.startsWith('.') ? path.resolve(folder, from) : from };
        }
        const found = (await namesOf(from, folder)).get(name);
        if (found === undefined) throw new Error(`${from} exports no ${name}.`);
        return found;
      }

      onLoad({ filter: SOURCES }, async ({ path: file }) => {
        const text = readFileSync(file, 'utf8');
        const folder = path.dirname(file);
        let contents = '';
        let end = 0;
        for (const match of text.matchAll(IMPORT)) {
          const [statement, list, specifier] = match;
          if (libraries.includes(specifier)) continue;
          const names = await namesOf(specifier, folder);
          const imports = partsOf(list).map(({ name, as }) => {
            const found = names.get(name) ?? { name, file: specifier };
            return `import { ${found.name} as ${as} } from ${JSON.stringify(found.file)};`;
          });
          contents += text.slice(end, match.index) + imports.join(' ');
          end = match.index + statement.length;
        }
        return { contents: contents + text.slice(end), loader: 'ts' };
      });
    },
  };
}

/** The names in the braces of an import or an export, without types. */
function partsOf(list) {
  return list
    .replaceAll(/\/\/.*$|\/\*[^]*?\*\//gm, '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('type '))
    .map((part) => {
      const [name, as = name] = part.split(/\s+as\s+/);
      return { name, as };
    });
}
