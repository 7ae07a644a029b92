// Replaces node:fs/promises in the bundle (build.config.mjs), because loading that takes a millisecond, and each of its
// calls takes longer than a call with a callback. Only file handles come from it.
import * as fs from 'node:fs';

export const { constants } = fs;
export const access = later('access');
export const appendFile = later('appendFile');
export const chmod = later('chmod');
export const chown = later('chown');
export const link = later('link');
export const lstat = later('lstat');
export const mkdir = later('mkdir');
export const mkdtemp = later('mkdtemp');
export const readFile = later('readFile');
export const readdir = later('readdir');
export const readlink = later('readlink');
export const rename = later('rename');
export const rm = later('rm');
export const stat = later('stat');
export const statfs = later('statfs');
export const writeFile = later('writeFile');
export const realpath = later('realpath', fs.realpath.native);
export const open: typeof fs.promises.open = (...args) => fs.promises.open(...args);
export const opendir: typeof fs.promises.opendir = (...args) => fs.promises.opendir(...args);

function later<Name extends keyof typeof fs.promises & keyof typeof fs>(
  name: Name,
  call: unknown = fs[name],
): (typeof fs.promises)[Name] {
  const withCallback = call as (...args: unknown[]) => void;
  const promising = (...args: unknown[]) =>
    new Promise((resolve, reject) => {
      withCallback(...args, (error: Error | null | undefined, result: unknown) =>
        error == null ? resolve(result) : reject(error),
      );
    });
  return promising as (typeof fs.promises)[Name];
}
