// Replaces node:fs/promises in the bundle (build.config.mjs) and loads it at the first call, because
// loading takes a millisecond and most commands do not use it.
import * as fs from 'node:fs';

/** Modes of `access`: constants, which need no loading. */
export const constants = fs.constants;

export const access = lazy('access');
export const appendFile = lazy('appendFile');
export const chmod = lazy('chmod');
export const link = lazy('link');
export const lstat = lazy('lstat');
export const mkdir = lazy('mkdir');
export const mkdtemp = lazy('mkdtemp');
export const open = lazy('open');
export const opendir = lazy('opendir');
export const readFile = lazy('readFile');
export const readdir = lazy('readdir');
export const readlink = lazy('readlink');
export const realpath = lazy('realpath');
export const rename = lazy('rename');
export const rm = lazy('rm');
export const stat = lazy('stat');
export const statfs = lazy('statfs');
export const writeFile = lazy('writeFile');

function lazy<Name extends keyof typeof fs.promises>(name: Name): (typeof fs.promises)[Name] {
  const call = (...args: unknown[]) =>
    (fs.promises[name] as (...args: unknown[]) => unknown)(...args);
  return call as (typeof fs.promises)[Name];
}
