'use strict';
// Compiling the bundle takes half of a command's start time, so the compiled code is kept in files
// between runs. Node's own cache (module.enableCompileCache, from 22.1) is 8 ms slower. If a file
// is missing or belongs to another build, the code is compiled again.
const fs = require('node:fs');
const path = require('node:path');

const dist = path.join(__dirname, '..', 'dist');

/**
 * Runs a file of dist/ with the compiled code that an earlier run of the same command has stored.
 */
function requireCompiled(name, command) {
  const prefix = path.join(cacheFolder(), 'compiled', /^[a-z]+$/.test(command) ? command : 'mai');
  const loaded = new Map();
  const requireOne = (id) => {
    if (!id.startsWith('./')) return require(id);
    const file = id.slice(2);
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(file, module);
    run(path.join(dist, file), `${prefix}-${file}.bin`, module, requireOne);
    return module.exports;
  };
  requireOne(`./${name}`);
}

function run(file, cacheFile, module, requireOne) {
  const vm = require('node:vm');
  const { size, mtimeMs } = fs.statSync(file);
  const stamp = stampOf(size, mtimeMs);
  const cachedData = read(cacheFile, stamp);
  const script = new vm.Script(wrapped(file, size), {
    filename: file,
    ...(cachedData === null ? {} : { cachedData }),
  });
  if (cachedData === null || script.cachedDataRejected) {
    // Stored at the end of the run, when the functions that the command needs have been compiled.
    process.once('exit', () => write(cacheFile, stamp, script.createCachedData()));
  }
  script.runInThisContext()(module.exports, requireOne, module, file, dist);
}

const HEAD = '(function (exports, require, module, __filename, __dirname) {';
const TAIL = '\n})';

/**
 * Node keeps a string of this length outside V8's heap, so it triggers no garbage collection.
 */
const OUTSIDE_HEAP_BYTES = 1_031_914;

/**
 * The bundle as a function, padded with spaces. The bundle is ASCII, so its bytes need no
 * decoding.
 */
function wrapped(file, size) {
  const length = HEAD.length + size + TAIL.length;
  const text = Buffer.allocUnsafe(Math.max(length, OUTSIDE_HEAP_BYTES)).fill(' ', length);
  text.write(HEAD, 'latin1');
  text.write(TAIL, HEAD.length + size, 'latin1');
  const descriptor = fs.openSync(file);
  try {
    for (let read = 0; read < size;) {
      const more = fs.readSync(descriptor, text, HEAD.length + read, size - read, read);
      if (more === 0) throw new Error(`${file} was cut short. Build it again.`);
      read += more;
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return text.latin1Slice();
}

/** V8 compares only the length of the source, and another build may have the same length. */
function stampOf(size, mtimeMs) {
  return Buffer.from(`${process.version} ${process.arch} ${size} ${mtimeMs}`.padEnd(64));
}

function read(cacheFile, stamp) {
  try {
    const kept = fs.readFileSync(cacheFile);
    return kept.subarray(0, stamp.length).equals(stamp) ? kept.subarray(stamp.length) : null;
  } catch {
    return null;
  }
}

function write(cacheFile, stamp, compiled) {
  const temporary = `${cacheFile}.${process.pid}.tmp`;
  try {
    fs.mkdirSync(path.dirname(cacheFile), { recursive: true, mode: 0o700 });
    fs.writeFileSync(temporary, Buffer.concat([stamp, compiled]), { mode: 0o600 });
    fs.renameSync(temporary, cacheFile);
  } catch {
    // Without this file, the next start only takes longer. On a full disk, a part of it would stay at every start.
    remove(temporary);
  }
}

function remove(file) {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // Nothing can be removed from a read-only disk, where nothing was written either.
  }
}

/** The cache folder, which the bundled library env-paths also uses. */
function cacheFolder() {
  const home = require('node:os').homedir();
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === 'darwin') return path.join(home, 'Library', 'Caches', 'mai');
  if (process.platform === 'win32')
    return path.join(LOCALAPPDATA || path.join(home, 'AppData', 'Local'), 'mai', 'Cache');
  return path.join(XDG_CACHE_HOME || path.join(home, '.cache'), 'mai');
}

module.exports = { requireCompiled };
