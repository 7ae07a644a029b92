// Builds the package in the current folder: esbuild bundles, tsc writes the declarations, and API Extractor merges
// them into one file and compares the public surface with the checked-in report in api/.
//
// Packages under `dependencies` stay external. All other imports are inlined, and the notices of the inlined
// packages are in dist/THIRD_PARTY_LICENSES.txt.
//
// `--no-types` bundles and leaves the declarations as they are. Tests and `npm start` need no more, and it takes a
// tenth of the time.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { META, splitBundle } from './build/split-bundle.mjs';

const projectDir = process.cwd();
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(path.join(projectDir, 'package.json'), 'utf8'));
const config = await readConfig();

const withTypes = config.types && !process.argv.includes('--no-types');

emptyDist();
const inlined = new Set();
for (const format of config.formats) await bundle(format);
for (const { from, to } of config.copies) copyFolder(from, to);
writeNotices();
if (withTypes) declareTypes();

async function readConfig() {
  const file = path.join(projectDir, 'build.config.mjs');
  const own = existsSync(file) ? (await import(pathToFileURL(file).href)).default : {};
  return {
    formats: ['esm', 'cjs'],
    types: true,
    alias: {},
    // Large libraries that get files of their own, which are read on first use.
    libraries: [],
    // False replaces import() by require(), so that Node's ES module loader is not started.
    dynamicImport: true,
    // A program in several files: `{ name, first, compileFirst, parts }`, see build/split-bundle.mjs. Its entry is in `entries`.
    split: null,
    // Folders that are copied into dist: `from` is relative to the package, `to` to dist.
    copies: [],
    ...own,
    entries: { ...(own.types === false ? {} : { index: 'src/index.ts' }), ...own.entries },
  };
}

function emptyDist() {
  const dist = path.join(projectDir, 'dist');
  for (const name of existsSync(dist) ? readdirSync(dist) : []) {
    const isTypes = name === 'types' || name.endsWith('.d.ts') || name.endsWith('.d.cts');
    if (withTypes || !isTypes) rmSync(path.join(dist, name), { recursive: true, force: true });
  }
}

/** Copies the built files of another package. Nx builds that package first, because it is a dependency. */
function copyFolder(from, to) {
  if (!existsSync(path.join(projectDir, from)))
    throw new Error(`${from} is missing. Build it first.`);
  cpSync(path.join(projectDir, from), path.join(projectDir, 'dist', to), { recursive: true });
}

async function bundle(format) {
  // The path of each library, resolved from its first importer.
  const found = new Map();
  const { split } = config;
  const { [split?.name ?? '']: entry, ...others } = config.entries;
  if (entry !== undefined) {
    const { libraries } = config;
    const esbuild = { ...optionsFor('cjs', found), supported: {}, banner: {} };
    noteInlined(await splitBundle({ ...split, entry, libraries, esbuild }));
  }
  const minifyIdentifiers = config.libraries.length > 0;
  await bundleEntries(format, others, found, minifyIdentifiers);
  for (const name of config.libraries) {
    // The names of a library stay, because it may rely on them.
    await bundleEntries(format, { [libraryFile(name)]: found.get(name) }, found, false);
  }
}

async function bundleEntries(format, entryPoints, found, minifyIdentifiers) {
  const result = await build({ ...optionsFor(format, found), entryPoints, minifyIdentifiers });
  if (format === 'esm') dropUnusedBanners(result.metafile);
  noteInlined(result.metafile);
}

/** Options of esbuild that all bundles share. */
function optionsFor(format, found) {
  const esm = format === 'esm';
  return {
    absWorkingDir: projectDir,
    outdir: 'dist',
    outExtension: { '.js': esm ? '.js' : '.cjs' },
    bundle: true,
    format,
    platform: 'node',
    target: 'node20',
    splitting: esm,
    chunkNames: 'chunks/[name]-[hash]',
    external: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    alias: config.alias,
    // Workspace packages are inlined from source, so that a bundle never holds a stale build.
    tsconfig: path.join(projectDir, 'tsconfig.json'),
    // Minified code is read and parsed faster at every start of the CLI.
    minifyWhitespace: config.libraries.length > 0,
    minifySyntax: config.libraries.length > 0,
    supported: config.dynamicImport ? {} : { 'dynamic-import': false },
    plugins: [librariesApart(format, found)],
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Inlined CommonJS code calls require(), which ES modules lack. CommonJS output lacks import.meta.
    banner: {
      js: esm
        ? "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);"
        : META,
    },
    define: esm ? {} : { 'import.meta.url': '__meta.url' },
  };
}

/** Notes the packages whose code is in a bundle. */
function noteInlined({ inputs }) {
  for (const input of Object.keys(inputs)) {
    const match = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input.replaceAll('\\', '/'));
    if (match) inlined.add(match[1]);
  }
}

function libraryFile(name) {
  return `library-${name.replace(/^@/, '').replaceAll('/', '-')}`;
}

/** Leaves libraries out of a bundle. The bundle loads them from files in its own folder. */
function librariesApart(format, found) {
  const extension = format === 'esm' ? '.js' : '.cjs';
  return {
    name: 'libraries-apart',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^./]/ }, async ({ path: name, kind, resolveDir, pluginData }) => {
        if (!config.libraries.includes(name) || pluginData === 'search') return undefined;
        const { path: file } = await resolve(name, { kind, resolveDir, pluginData: 'search' });
        if (found.has(name) && found.get(name) !== file)
          throw new Error(`Two copies of ${name} are imported: ${found.get(name)} and ${file}.`);
        found.set(name, file);
        return { path: `./${libraryFile(name)}${extension}`, external: true };
      });
    },
  };
}

// Loading node:module takes a millisecond at start-up, so files that never call require() do not import it.
function dropUnusedBanners(metafile) {
  for (const file of Object.keys(metafile.outputs)) {
    const target = path.join(projectDir, file);
    const [banner, ...rest] = readFileSync(target, 'utf8').split('\n');
    const body = banner.startsWith('#!') ? null : rest.join('\n');
    if (body !== null && banner.includes('__createRequire') && !/\brequire\b/.test(body)) {
      writeFileSync(target, body);
    }
  }
}

function writeNotices() {
  const notices = [...inlined].sort().map((dir) => {
    const { name, version, license } = JSON.parse(
      readFileSync(path.resolve(projectDir, dir, 'package.json'), 'utf8'),
    );
    const file = readdirSync(path.resolve(projectDir, dir)).find((f) => /^licen[cs]e/i.test(f));
    const text = file ? readFileSync(path.resolve(projectDir, dir, file), 'utf8').trim() : '';
    return `${name} ${version} (${license ?? 'see its repository'})\n\n${text}\n`;
  });
  if (notices.length > 0) {
    writeFileSync(
      path.join(projectDir, 'dist', 'THIRD_PARTY_LICENSES.txt'),
      `This build contains the following packages.\n\n${notices.join('\n----\n\n')}`,
    );
  }
}

function declareTypes() {
  run(require.resolve('typescript/bin/tsc'), ['-p', 'tsconfig.build.json']);
  run(fileURLToPath(new URL('build/roll-up-types.mjs', import.meta.url)), []);
}

function run(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], {
    cwd: projectDir,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
