// Replaces node:fs/promises in the bundle (build.config.mjs). Its functions are made of those with callbacks, because
// loading node:fs/promises takes a millisecond, and each of its calls takes longer.
import * as fs from 'node:fs';

/** Modes of `access`: constants, which need no loading. */
export const constants = fs.constants;

export const access = later('access');
export const appendFile = later('appendFile');
export const chmod = later('chmod');
export const link = later('link');
export const lstat = later('lstat');
export const mkdir = later('mkdir');
export const mkdtemp = later('mkdtemp');
export const readFile = later('readFile');
export const readdir = later('readdir');
export const readlink = later('readlink');
export const realpath = later('realpath');
export const rename = later('rename');
export const rm = later('rm');
export const stat = later('stat');
export const statfs = later('statfs');
export const writeFile = later('writeFile');

/** File handles exist only in node:fs/promises, which is loaded at the first call. */
export const open: typeof fs.promises.open = (...args) => fs.promises.open(...args);
export const opendir = (...args: Parameters<typeof fs.promises.opendir>) =>
  fs.promises.opendir(...args);

function later<Name extends keyof typeof fs.promises & keyof typeof fs>(
  name: Name,
): (typeof fs.promises)[Name] {
  const withCallback = fs[name] as (...args: unknown[]) => void;
  const call = (...args: unknown[]) =>
    new Promise((resolve, reject) => {
      withCallback(...args, (error: unknown, result: unknown) => {
        if (error == null) resolve(result);
        else reject(error as Error);
      });
    });
  return call as (typeof fs.promises)[Name];
}
