import type { IncomingMessage, ServerResponse } from 'node:http';
import { PAGE_HEADERS } from '../access/page-headers.js';
import { readAssets, type Asset } from './read-assets.js';

/** The page that the gateway shows in a browser. */
export interface Page {
  /** Answers every request: with a file, or with 404. */
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** Where the page comes from. */
export interface PageOptions {
  /** The folder of the built files; null without a page. */
  readonly folder: string | null;
}

const WITHOUT_PAGE = `Mai serves models here. Point an OpenAI client at /v1 of this address, and ask for the model "auto".

  /v1/models             the models
  /v1/chat/completions   OpenAI
  /v1/messages           Anthropic
  /api/mai/openapi.json  state and control of this machine
`;

const SECONDS_OF_A_YEAR = 31_536_000;

/**
 * Reads the built files. They are kept in memory.
 *
 * @throws GatewayError `FILE_UNUSABLE`
 */
export async function createPage({ folder }: PageOptions): Promise<Page> {
  const assets = folder === null ? null : await readAssets(folder);
  return {
    handle: (request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        sendText(request, response, 405, 'This address has files only. Use GET or HEAD.\n', {
          allow: 'GET, HEAD',
        });
        return;
      }
      const path = pathOf(request.url ?? '/');
      if (assets === null && path === '/') {
        sendText(request, response, 200, WITHOUT_PAGE);
        return;
      }
      const asset = path === null ? undefined : assets?.get(path === '/' ? '/index.html' : path);
      if (asset === undefined) {
        sendText(request, response, 404, 'There is nothing at this address. The page is at /.\n');
        return;
      }
      sendAsset(request, response, asset);
    },
  };
}

function sendAsset(request: IncomingMessage, response: ServerResponse, asset: Asset): void {
  const { type, etag, immutable, bodies } = asset;
  const encoding = chooseEncoding(request.headers['accept-encoding'] ?? '', bodies);
  const body = bodies[encoding] ?? bodies.identity;
  const tag = `"${etag}${encoding === 'identity' ? '' : `-${encoding}`}"`;
  const hasVariants = bodies.br !== null || bodies.gzip !== null;
  const headers = {
    ...PAGE_HEADERS,
    etag: tag,
    'cache-control': immutable ? `public, max-age=${SECONDS_OF_A_YEAR}, immutable` : 'no-cache',
    ...(hasVariants ? { vary: 'accept-encoding' } : {}),
  };
  if (matches(request.headers['if-none-match'], tag)) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    'content-type': type,
    'content-length': body.length,
    ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...PAGE_HEADERS,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** The decoded path of a request target; null where it cannot be decoded. */
function pathOf(target: string): string | null {
  const [path = ''] = target.split(/[?#]/, 1);
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** The smallest encoding that the client accepts (RFC 9110, section 12.5.3). */
function chooseEncoding(accepted: string, bodies: Asset['bodies']): 'br' | 'gzip' | 'identity' {
  const accepts = (name: string): boolean =>
    accepted.split(',').some((part) => {
      const [coding = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      return coding === name && !parameters.some((text) => /^q=0(\.0*)?$/.test(text));
    });
  if (bodies.br !== null && accepts('br')) return 'br';
  return bodies.gzip !== null && accepts('gzip') ? 'gzip' : 'identity';
}

/** Whether `If-None-Match` names this validator, weakly compared (RFC 9110, section 13.1.2). */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => {
    const text = one.trim();
    return text === '*' || text.replace(/^W\//, '') === tag;
  });
}
