// Bundles a program into CommonJS files: one with the code that most runs need, and others that are read on first use.
//
// esbuild splits only ES modules. So this file takes esbuild's chunks and makes each of them a function. A chunk that a
// run does not need stays a function that is not compiled, so it takes almost no time at the start.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { build } from 'esbuild';
import { directImports } from './direct-imports.mjs';

const IMPORT =
  /(?<=^|[;}\n])import(?: ?(?:([\w$]+)(?:,(?=[{*]))?)?(?:\{([^}]*)\}|\*as ([\w$]+))? ?from)?"([^"]+)";/g;
const EXPORT_AT_END = /export\{([^}]*)\};\s*$/;
const DYNAMIC_IMPORT = /\bimport\("([^"]+)"\)/g;

/**
 * Writes `NAME.cjs`, `NAME-PART.cjs` for each part, and `NAME-later.cjs`.
 *
 * @param options.first the source files whose code is in `NAME.cjs`, beside the code that they and the entry import
 * @param options.compileFirst of these, the ones whose code is compiled with the file. The others are compiled on first use
 * @param options.parts the source files whose code is in a file of its own, by the name of the part: what is read only together,
 *   and all of it is compiled with the file
 * @param options.esbuild options for esbuild: `plugins` must leave out the libraries
 * @returns the metafile of esbuild
 */
export async function splitBundle({ name, entry, first, compileFirst, parts, libraries, esbuild }) {
  const { absWorkingDir, plugins } = esbuild;
  const { metafile, outputFiles } = await build({
    ...esbuild,
    entryPoints: { [name]: entry },
    plugins: [directImports(libraries), ...plugins],
    format: 'esm',
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
  });
  const texts = new Map(
    outputFiles.map(({ path: file, text }) => [
      path.relative(absWorkingDir, file).replaceAll('\\', '/'),
      text,
    ]),
  );
  const chunks = new Map(
    Object.entries(metafile.outputs).map(([file, output], id) => [
      file,
      { ...output, id, file, text: texts.get(file) },
    ]),
  );
  const entryOf = (source) => {
    const found = [...chunks.values()].find(({ entryPoint }) => entryPoint?.endsWith(source));
    if (found === undefined) throw new Error(`${source} is not imported by import().`);
    return found;
  };
  const start = entryOf(entry);
  const early = closureOf([start, ...compileFirst.map(entryOf)], chunks);
  const near = closureOf([...early, ...first.map(entryOf)], chunks);
  const apart = new Map();
  for (const [part, sources] of Object.entries(parts)) {
    for (const chunk of closureOf(sources.map(entryOf), chunks))
      if (!near.has(chunk) && !apart.has(chunk)) apart.set(chunk, part);
  }
  const far = [...chunks.values()].filter((chunk) => !near.has(chunk) && !apart.has(chunk));
  const functionOf = (chunk) => asFunction(chunk, chunks, early.has(chunk) || apart.has(chunk));
  const dist = path.join(absWorkingDir, 'dist');
  mkdirSync(dist, { recursive: true });
  const partOf = Object.fromEntries([...apart].map(([{ id }, part]) => [id, part]));
  // V8 compiles a function in brackets with the script that contains it.
  writeFileSync(
    path.join(dist, `${name}.cjs`),
    `"use strict";${META}const made=new Map,chunks={${[...near].map(functionOf).join(',\n')}};
const partOf=${JSON.stringify(partOf)},parts={};function __part(name){return parts[name]??=require("./${name}-"+name+".cjs")(__load,__lazy)}
function __load(id){let found=made.get(id);if(found===undefined){const make=chunks[id]??__part(partOf[id]??"later")[id];found=make();made.set(id,found)}return found}
function __lazy(id){return Promise.resolve().then(()=>__load(id))}
__load(${start.id});
`,
  );
  const writePart = (part, own) =>
    writeFileSync(
      path.join(dist, `${name}-${part}.cjs`),
      `"use strict";${META}module.exports=(__load,__lazy)=>({${own.map(functionOf).join(',\n')}});\n`,
    );
  for (const part of Object.keys(parts))
    writePart(
      part,
      [...apart].flatMap(([chunk, of]) => (of === part ? [chunk] : [])),
    );
  writePart('later', far);
  return metafile;
}

/** Replaces `import.meta`, which CommonJS lacks. Its URL is made on first use. */
export const META =
  'const __meta={get url(){return require("node:url").pathToFileURL(__filename).href}};';

/** The chunks, and those that they import before they run. */
function closureOf(start, chunks) {
  const found = new Set(start);
  for (const { imports } of found) {
    for (const { path: file, kind } of imports) {
      if (kind === 'import-statement' && chunks.has(file)) found.add(chunks.get(file));
    }
  }
  return found;
}

/**
 * A chunk as a property: its id, and a function that runs the chunk and returns its exports. Names of the chunk cannot hide
 * `__load` and `__lazy`.
 */
function asFunction({ id, file, text, imports }, chunks, isEager) {
  const chunkOf = (specifier) => {
    const target = chunks.get(path.posix.join(path.posix.dirname(file), specifier));
    return specifier.startsWith('.') ? target : undefined;
  };
  let dynamic = 0;
  let body = text.replaceAll(DYNAMIC_IMPORT, (_, specifier) => {
    dynamic += 1;
    const target = chunkOf(specifier);
    return target === undefined
      ? `Promise.resolve().then(()=>require(${JSON.stringify(specifier)}))`
      : `__lazy(${target.id})`;
  });
  const expected = imports.filter(({ kind }) => kind === 'dynamic-import').length;
  if (dynamic < expected) throw new Error(`${file}: ${expected} import(), but ${dynamic} found.`);
  let head = '';
  // Imports run first, wherever they are.
  body = body.replaceAll(IMPORT, (_, byDefault, list, all, specifier) => {
    const target = chunkOf(specifier);
    const from =
      target === undefined ? `require(${JSON.stringify(specifier)})` : `__load(${target.id})`;
    head += declarations({ byDefault, list, all, from, isBuiltin: specifier.startsWith('node:') });
    return '';
  });
  const exported = EXPORT_AT_END.exec(body);
  if (exported !== null) {
    const properties = namesIn(exported[1]).map(([local, as]) => `${as}:${local}`);
    body = `${body.slice(0, exported.index)}return{${properties.join(',')}};`;
  }
  const make = `function(){${head}${body.trimEnd()}}`;
  requireScript(file, `(${make})`);
  return `${id}:${isEager ? `(${make})` : make}`;
}

/** Throws for an import or an export that was not replaced, because a script must not contain one. */
function requireScript(file, text) {
  try {
    new vm.Script(text);
  } catch (error) {
    throw new Error(`${file}, as a function: ${error.message}`, { cause: error });
  }
}

function declarations({ byDefault, list, all, from, isBuiltin }) {
  if (all !== undefined) return `const ${all}=${from};`;
  const parts = list === undefined ? [] : namesIn(list).map(([name, as]) => `${name}:${as}`);
  // A builtin module is its own default export.
  if (byDefault !== undefined && isBuiltin) {
    const rest = parts.length === 0 ? '' : `const{${parts.join(',')}}=${byDefault};`;
    return `const ${byDefault}=${from};${rest}`;
  }
  if (byDefault !== undefined) parts.push(`default:${byDefault}`);
  return parts.length === 0 ? `${from};` : `const{${parts.join(',')}}=${from};`;
}

/** The pairs of `a as b,c`: the name, and the name after `as`. */
function namesIn(list) {
  return list.split(',').map((part) => {
    const [name, as = name] = part.trim().split(' as ');
    return [name, as];
  });
}
