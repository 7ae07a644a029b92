import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ScriptedMachine } from './scripted-machine.js';

/** Serves the built page and `/api/mai/` of a scripted machine, with the headers of the gateway. */
export interface PageServer {
  readonly url: string;
  /** Stops listening and breaks every connection, as a killed gateway does. */
  stop(): Promise<void>;
}

export interface PageServerOptions {
  readonly machine: ScriptedMachine;
  /** The API key that the server requires. Default: no key. */
  readonly key?: string;
  /** Default 0: any free port. */
  readonly port?: number;
}

/** The policy of the gateway's page. */
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const DIST = path.join(__dirname, '..', '..', 'dist');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const COOKIE = 'mai-session=s3ssion';
const CSRF = 'csrf-t0ken';

export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const server = createServer((request, response) => {
    handle(request, response, options).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  // A test that fails before its end leaves its server open. It must not keep the process alive.
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return { url: `http://127.0.0.1:${address.port}/`, stop: () => stop(server) };
}

function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { machine, key }: PageServerOptions,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://page');
  if (!url.pathname.startsWith('/api/mai/')) {
    await sendFile(response, url.pathname);
    return;
  }
  const name = url.pathname.slice('/api/mai/'.length);
  const signedIn = key === undefined || (request.headers.cookie ?? '').includes(COOKIE);
  const session = {
    required: key !== undefined,
    signedIn,
    scopes: signedIn ? ['control', 'read'] : [],
    csrfToken: key !== undefined && signedIn ? CSRF : null,
    expiresAtMs: null,
  };
  const text = await textOf(request);
  if (name === 'session') {
    if (request.method === 'GET') return send(response, 200, session);
    if (request.method === 'DELETE') {
      response.setHeader('set-cookie', 'mai-session=; Max-Age=0; Path=/');
      return send(response, 200, { ...session, signedIn: false, scopes: [], csrfToken: null });
    }
    const given: unknown = JSON.parse(text);
    if (JSON.stringify(given) !== JSON.stringify({ key })) {
      return refuse(response, 401, 'KEY_REFUSED', 'This key is not known. Check it and try again.');
    }
    response.setHeader('set-cookie', `${COOKIE}; HttpOnly; SameSite=Strict; Path=/`);
    return send(response, 200, {
      ...session,
      signedIn: true,
      scopes: ['control', 'read'],
      csrfToken: CSRF,
    });
  }
  if (!signedIn) return refuse(response, 401, 'KEY_REQUIRED', 'Sign in with an API key.');
  if (name === 'events') return stream(request, response, machine);
  if (request.method === 'POST') {
    if (key !== undefined && request.headers['x-mai-csrf'] !== CSRF) {
      return refuse(response, 403, 'CSRF', 'The token is missing.');
    }
    const change = machine.change(name, JSON.parse(text) as Record<string, unknown>);
    if (change === null) return refuse(response, 404, 'MODEL_NOT_FOUND', 'No such model.');
    return send(response, 200, change);
  }
  const answer = read(machine, name, url.searchParams);
  if (answer === null) return refuse(response, 404, 'NOT_FOUND', `There is no ${name}.`);
  send(response, 200, answer);
}

function read(machine: ScriptedMachine, name: string, query: URLSearchParams): unknown {
  switch (name) {
    case 'status':
      return machine.status();
    case 'models':
      return machine.models();
    case 'history':
      return machine.history();
    case 'fleet':
      return machine.fleet();
    case 'queue':
      return machine.queue();
    case 'explain':
      return machine.explain();
    case 'decisions':
      return machine.decisions(query);
    case 'what-if':
      return machine.whatIf(query);
    default:
      return machine.decision(decodeURIComponent(name.replace('decisions/', '')));
  }
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  machine: ScriptedMachine,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write('retry: 1000\n\n');
  const unsubscribe = machine.onEvent((event) => {
    response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  });
  request.once('close', unsubscribe);
}

async function sendFile(response: ServerResponse, pathname: string): Promise<void> {
  const name = pathname === '/' ? 'index.html' : path.posix.normalize(pathname).slice(1);
  try {
    const content = await readFile(path.join(DIST, name));
    response.writeHead(200, {
      'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { error: { code, message } });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}
