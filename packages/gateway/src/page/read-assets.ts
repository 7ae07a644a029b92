import { createHash } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf } from '../error-facts.js';
import { GatewayError } from '../gateway-error.js';

/** One file of the page, as it is sent. */
export interface Asset {
  readonly type: string;
  /** Strong validator of each encoding (RFC 9110, section 8.8.3). */
  readonly etag: string;
  /** Whether the name has a hash of the content, so that it never changes. */
  readonly immutable: boolean;
  /** The bytes by content encoding. */
  readonly bodies: {
    readonly identity: Buffer;
    readonly br: Buffer | null;
    readonly gzip: Buffer | null;
  };
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** The page has fewer and smaller files; more means that the folder is another one. */
const FILES_MAX = 1000;
const BYTES_MAX = 64 * 1_048_576;
/** Vite's names: `assets/index-BxY3k9_q.js`. */
const HASHED_NAME = /^\/assets\/.+-[\w-]{8,}\.\w+$/;

/**
 * Reads all files of a folder, by their path in a URL. A request can only get a file of this list, so no path of a
 * request leads anywhere else. Links and files whose name begins with a dot are left out.
 *
 * @throws GatewayError `FILE_UNUSABLE`
 */
export async function readAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const files = new Map<string, Buffer>();
  let bytes = 0;
  try {
    for (const name of await listFiles(await realpath(folder), '')) {
      const content = await readFile(path.join(folder, name));
      bytes += content.length;
      files.set(`/${name.split(path.sep).join('/')}`, content);
      if (files.size > FILES_MAX || bytes > BYTES_MAX)
        throw unusable(folder, 'it has too many files');
    }
  } catch (error) {
    if (codeOf(error) === 'FILE_UNUSABLE') throw error;
    throw unusable(folder, messageOf(error), error);
  }
  if (!files.has('/index.html')) throw unusable(folder, 'it has no index.html');
  const assets = new Map<string, Asset>();
  for (const [name, identity] of files) {
    const isVariant = /\.(br|gz)$/.test(name) && files.has(name.replace(/\.(br|gz)$/, ''));
    if (isVariant) continue;
    assets.set(name, {
      type: TYPES[path.extname(name).toLowerCase()] ?? 'application/octet-stream',
      etag: createHash('sha256').update(identity).digest('base64url').slice(0, 24),
      immutable: HASHED_NAME.test(name),
      bodies: {
        identity,
        br: files.get(`${name}.br`) ?? null,
        gzip: files.get(`${name}.gz`) ?? null,
      },
    });
  }
  return assets;
}

async function listFiles(folder: string, below: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(path.join(folder, below), { withFileTypes: true })) {
    const name = path.join(below, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isFile()) found.push(name);
    // A link is neither a file nor a folder here.
    else if (entry.isDirectory()) found.push(...(await listFiles(folder, name)));
    if (found.length > FILES_MAX) break;
  }
  return found;
}

function unusable(folder: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'FILE_UNUSABLE',
    `The files of the page in ${folder} cannot be served: ${why}. Build them with "npm run build -w @mai/dashboard".`,
    cause === undefined ? undefined : { cause },
  );
}
