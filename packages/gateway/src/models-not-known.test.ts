import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openHost, type HostOptions } from '@mai/host';
import { ask } from '../test/ask.js';
import { isToldFailure, talk } from '../test/talk.js';
import { createGateway, type ServingCatalog, type ServingPort } from './index.js';

const CHAT = '/v1/chat/completions';
const HELLO = { model: 'auto', messages: [{ role: 'user' as const, content: 'Hello' }] };

const CANCELLED = /mai_requests_cancelled_total\{[^}]*\} 1/;

const EMPTY: ServingCatalog = {
  models: [],
  chains: { default: [] },
  aliases: [],
  otherNames: {},
  leftOut: {},
  unreachableNote: null,
  hosts: null,
  runtime: 'lmstudio',
  runtimeAnswers: true,
  runtimeVersion: null,
  decisionId: null,
};

/** A machine whose list of models a test controls. */
function machineWith(catalog: ServingPort['catalog']): ServingPort {
  return {
    catalog,
    plan: () => Promise.reject(new Error('No plan is needed.')),
    acquire: () => Promise.reject(new Error('No lease is needed.')),
    // eslint-disable-next-line require-yield
    changes: async function* ({ signal } = {}) {
      await new Promise<void>((resolve) => {
        if (signal?.aborted === true) resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}

describe('a machine whose models can not be listed', () => {
  it.each([
    [CHAT, HELLO],
    [CHAT, { ...HELLO, stream: true }],
    ['/v1/messages', { ...HELLO, max_tokens: 5 }],
    ['/v1/responses', { model: 'auto', input: 'Hello' }],
    ['/v1/embeddings', { model: 'auto', input: 'Hello' }],
    ['/v1/messages/count_tokens', HELLO],
  ])('makes %s a failure of its protocol that is worth another try', async (path, body) => {
    const bugs: unknown[] = [];
    const serving = machineWith(() => Promise.reject(new Error('The connection has ended.')));
    await using gateway = await createGateway({ serving }, { onError: (bug) => bugs.push(bug) });
    const { url } = await gateway.listen({ port: 0 });
    const ending = await talk(url, path, body).end;
    expect(ending.status).toBe(503);
    expect(isToldFailure(ending)).toBe(true);
    expect(ending.text).toContain('The connection has ended.');
    expect(bugs).toEqual([]);
  });

  it.each(['/v1/models', '/v1/models/auto', '/api/v0/models'])('makes GET %s 503', async (path) => {
    const bugs: unknown[] = [];
    const serving = machineWith(() => Promise.reject(new Error('The connection has ended.')));
    await using gateway = await createGateway({ serving }, { onError: (bug) => bugs.push(bug) });
    const { url } = await gateway.listen({ port: 0 });
    const answer = await ask(url, { path });
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('The connection has ended.');
    expect(bugs).toEqual([]);
  });
});

describe('a client that leaves while the machine reads its models', () => {
  it('ends its request', async () => {
    let tell: (catalog: ServingCatalog) => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const read = new Promise<ServingCatalog>((resolve) => (tell = resolve));
    const serving = machineWith(() => {
      asked();
      return read;
    });
    await using gateway = await createGateway({ serving });
    const { url } = await gateway.listen({ port: 0 });
    const talking = talk(url, CHAT, HELLO);
    await isAsked;
    talking.leave();
    await talking.end;
    // The gateway learns of it with its next turn; a request after it on the same server is answered later.
    await ask(url, { path: '/healthz' });
    tell(EMPTY);
    let text = '';
    // Each of these requests takes turns of the event loop, in which the cancelled request can end.
    for (let turn = 0; turn < 100 && !CANCELLED.test(text); turn += 1) {
      ({ text } = await ask(url, { path: '/metrics' }));
    }
    expect(text).toMatch(CANCELLED);
  });
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Options of a host that has no file outside of a folder. */
function inFolder(home: string): HostOptions {
  return {
    dataFolder: path.join(home, 'data'),
    cacheFolder: path.join(home, 'cache'),
    configFolder: home,
    userHome: home,
    cwd: home,
    env: {},
    warn: () => undefined,
  };
}

describe('a model that may be on this machine, while', () => {
  const OFF = /LM Studio is off or does not answer|Nothing answers at/;
  const UNMOUNTED = /The folder \\"models\\" does not exist.* Mount its drive/;
  it.each<[string, (home: string) => HostOptions, RegExp]>([
    ['LM Studio is off,', () => ({ runtime: 'lmstudio', url: 'http://127.0.0.1:9' }), OFF],
    [
      'its folder is not mounted,',
      (home) => ({ runtime: 'embedded', modelFolders: [path.join(home, 'drive', 'models')] }),
      UNMOUNTED,
    ],
  ])('%s is worth another try', async (_, optionsIn, reason) => {
    await using host = await openHost({
      ...inFolder(folder),
      config: { version: 1, models: [{ key: 'configured', context_window: 512 }] },
      ...optionsIn(folder),
    });
    await using gateway = await createGateway({ serving: host.serving });
    const { url } = await gateway.listen({ port: 0 });
    const asked = [
      ...(await Promise.all(
        ['ghost', 'configured', 'auto'].map((model) => talk(url, CHAT, { ...HELLO, model }).end),
      )),
      await ask(url, { path: '/v1/models/ghost' }),
    ];
    for (const { status, headers, text } of asked) {
      expect([status, text]).toEqual([503, expect.stringMatching(reason)]);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(text).not.toMatch(/download|lms get/i);
      expect(text).not.toContain(folder);
    }
    const { status } = await talk(url, CHAT, { ...HELLO, model: 'auto:cheap' }).end;
    expect(status).toBe(404);
  });
});

describe('a damaged file', () => {
  beforeEach(() => writeFile(path.join(folder, 'broken.gguf'), 'This is no model.'));

  const chain = { default: ['broken'] };
  it.each([
    ['in no chain', {}],
    ['in the chain', { models: [{ key: 'broken', context_window: 512 }], fallback_chains: chain }],
  ])('%s that is asked for by its key is refused with its fault', async (_, config) => {
    await using host = await openHost({
      ...inFolder(folder),
      runtime: 'embedded',
      modelFolders: [folder],
      config: { version: 1, ...config },
    });
    await using gateway = await createGateway({ serving: host.serving });
    const { url } = await gateway.listen({ port: 0 });
    // The file's folder is not for clients on other machines.
    const fault = '"message":"broken is not offered: it is not a GGUF file."';
    const { status, text } = await talk(url, CHAT, { ...HELLO, model: 'broken' }).end;
    expect([status, text]).toEqual([404, expect.stringContaining(fault)]);
    expect(text).toContain('"code":"model_not_found"');
    const entry = await ask(url, { path: '/v1/models/broken' });
    expect([entry.status, entry.text]).toEqual([404, expect.stringContaining(fault)]);
  });
});
