import 'reflect-metadata';

import { X509Certificate, randomBytes } from 'node:crypto';
import { createServer as createTcpServer, connect as connectTcp } from 'node:net';
import { createServer } from 'node:https';
import { readdir, readFile } from 'node:fs/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import {
  BasicConstraintsExtension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  type Extension,
} from '@peculiar/x509';

import { freePort } from '../../../test/nats-server.js';
import { pairedFleet, type PairedFleet } from '../../../test/paired-fleet.js';
import {
  JOIN_SERVER_NAME,
  certificateFingerprint,
  issueAuthority,
  issueJoinCertificate,
} from '../../certificates/issue.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { readFleetIdentity } from '../identity.js';
import { readRegistry } from '../hosts/registry.js';
import { formatInvitation, parseInvitation, type Invitation } from '../invitation/invitation.js';
import { invite } from '../invitation/invite.js';
import { join } from '../invitation/join.js';
import { proofOf, sessionBinding, type JoinAnswer } from '../invitation/join-protocol.js';
import { createSigningRequest, generateKeyPair } from '../../certificates/x509-door.js';

// The attacker reaches the join server of an open invitation, or stands between it and the joiner.

jest.setTimeout(120_000);

let fleet: PairedFleet;

beforeAll(async () => {
  fleet = await pairedFleet(['laptop']);
});

afterAll(() => fleet[Symbol.asyncDispose]());

afterEach(async () => {
  // After each attack, nobody was admitted.
  expect(await hosts()).toEqual(['desktop', 'laptop']);
});

async function hosts(): Promise<string[]> {
  return (await readRegistry(fleet.folder('desktop'))).hosts.map(({ host }) => host);
}

const REFUSED = {
  kind: 'refused',
  reason:
    'The invitation is wrong, used or too old. Make a new one with `mai fleet invite` and copy all of it.',
};

interface Request {
  readonly host: string;
  readonly signingRequest: string;
  readonly proof: string;
}

/** A TLS connection to the join server. Trusts every certificate, as an attacker does. */
async function reach(port: number): Promise<TLSSocket> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    servername: JOIN_SERVER_NAME,
  });
  socket.on('error', () => undefined);
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Sends bytes and returns all that comes back. */
async function send(socket: TLSSocket, bytes: string): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

function http(request: Request): string {
  const body = JSON.stringify({ version: 1, ...request });
  return `POST /join HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function answerOf(text: string): JoinAnswer {
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
}

/** One try with a secret and any signing request. */
async function attempt(
  port: number,
  secret: Buffer,
  host: string,
  signingRequest: string,
): Promise<JoinAnswer> {
  const socket = await reach(port);
  const proof = proofOf('joiner', secret, sessionBinding(socket), [host, signingRequest]);
  return answerOf(await send(socket, http({ host, signingRequest, proof })));
}

async function request(host: string): Promise<string> {
  return createSigningRequest(await generateKeyPair(), host);
}

describe('an invitation', () => {
  test('ends after five guesses, also for those who know the secret', async () => {
    await using opened = await invite({ folder: fleet.folder('desktop') });
    const { port, secret } = parseInvitation(opened.text);
    for (let guess = 0; guess < 4; guess += 1) {
      expect(await attempt(port, randomBytes(16), 'mallory', await request('mallory'))).toEqual(
        REFUSED,
      );
    }
    const fifth = await reach(port);
    const sixth = await reach(port);
    const signingRequest = await request('mallory');
    expect(
      answerOf(await send(fifth, http({ host: 'mallory', signingRequest, proof: '' }))),
    ).toEqual(REFUSED);
    expect(await opened.ended).toEqual({ kind: 'too-many-tries' });
    const binding = sessionBinding(sixth);
    const proof = proofOf('joiner', secret, binding, ['mallory', signingRequest]);
    const text = await send(sixth, http({ host: 'mallory', signingRequest, proof }));
    if (text !== '') expect(answerOf(text)).toEqual(REFUSED);
    await expect(
      join({ folder: fleet.folder('mallory'), invitation: opened.text, host: 'mallory' }),
    ).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' });
  });

  test('ends by its age', async () => {
    await using opened = await invite({ folder: fleet.folder('desktop'), lifeMs: 1 });
    expect(await opened.ended).toEqual({ kind: 'expired' });
    await expect(
      join({ folder: fleet.folder('mallory'), invitation: opened.text, host: 'mallory' }),
    ).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' });
  });

  test('that is withdrawn admits nobody', async () => {
    const opened = await invite({ folder: fleet.folder('desktop') });
    await opened[Symbol.asyncDispose]();
    expect(await opened.ended).toEqual({ kind: 'withdrawn' });
    await expect(
      join({ folder: fleet.folder('mallory'), invitation: opened.text, host: 'mallory' }),
    ).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' });
  });

  test('that has ended does not work while a later one is open', async () => {
    const old = await invite({ folder: fleet.folder('desktop') });
    await old[Symbol.asyncDispose]();
    await using _open = await invite({ folder: fleet.folder('desktop') });
    await expect(
      join({ folder: fleet.folder('mallory'), invitation: old.text, host: 'mallory' }),
    ).rejects.toMatchObject({ code: 'INVITATION_REFUSED' });
    await expect(readdir(fleet.folder('mallory'))).rejects.toThrow('ENOENT');
  });

  test.each([
    ['an empty request', 'POST /join HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    ['no JSON', 'POST /join HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n{{{'],
  ])('counts %s as a try', async (_what, bytes) => {
    await using opened = await invite({ folder: fleet.folder('desktop') });
    const { port } = parseInvitation(opened.text);
    for (let count = 0; count < 5; count += 1) await send(await reach(port), bytes);
    expect(await opened.ended).toEqual({ kind: 'too-many-tries' });
  });

  test('is not ended by a request that is too long, which gets no answer', async () => {
    await using opened = await invite({ folder: fleet.folder('desktop') });
    const { port } = parseInvitation(opened.text);
    const long = `POST /join HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n${' '.repeat(100_000)}`;
    for (let count = 0; count < 6; count += 1) expect(await send(await reach(port), long)).toBe('');
    await opened[Symbol.asyncDispose]();
    expect(await opened.ended).toEqual({ kind: 'withdrawn' });
  });

  test('is not ended by connections that break off or ask for something else', async () => {
    await using opened = await invite({ folder: fleet.folder('desktop') });
    const { port } = parseInvitation(opened.text);
    for (let count = 0; count < 6; count += 1) {
      const broken = await reach(port);
      broken.write('POST /join HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{');
      broken.destroy();
      const plain = connectTcp({ host: '127.0.0.1', port });
      plain.on('error', () => undefined);
      plain.end('GET / HTTP/1.1\r\n\r\n');
    }
    const got = await send(await reach(port), 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(got).toMatch(/^HTTP\/1.1 404/);
    expect(got).toMatch(/\r\n\r\n$|\r\n\r\n0\r\n\r\n$/);
    await opened[Symbol.asyncDispose]();
    expect(await opened.ended).toEqual({ kind: 'withdrawn' });
  });

  test('is not proven by a proof that was seen in another TLS session', async () => {
    await using opened = await invite({ folder: fleet.folder('desktop') });
    const { port, secret } = parseInvitation(opened.text);
    const signingRequest = await request('mallory');
    const seen = proofOf('joiner', secret, sessionBinding(await reach(port)), [
      'mallory',
      signingRequest,
    ]);
    const answer = await send(
      await reach(port),
      http({ host: 'mallory', signingRequest, proof: seen }),
    );
    expect(answerOf(answer)).toEqual(REFUSED);
  });

  test("does not accept the server's proof from a client", async () => {
    await using opened = await invite({ folder: fleet.folder('desktop') });
    const { port, secret } = parseInvitation(opened.text);
    const socket = await reach(port);
    const signingRequest = await request('mallory');
    const proof = proofOf('server', secret, sessionBinding(socket), ['mallory', signingRequest]);
    const answer = await send(socket, http({ host: 'mallory', signingRequest, proof }));
    expect(answerOf(answer)).toEqual(REFUSED);
  });
});

describe('a joiner that was invited', () => {
  async function invited(
    host: string,
    signingRequest: string,
    assigned?: string,
  ): Promise<JoinAnswer> {
    await using opened = await invite({
      folder: fleet.folder('desktop'),
      ...(assigned === undefined ? {} : { host: assigned }),
    });
    const { port, secret } = parseInvitation(opened.text);
    return await attempt(port, secret, host, signingRequest);
  }

  test.each(['desktop', 'laptop'])('does not get the name of %s', async (host) => {
    expect(await invited(host, await request(host))).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining(`has a host ${host} already`),
    });
  });

  test('does not get another name than the one that it was given', async () => {
    expect(await invited('mallory', await request('mallory'), 'tower')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('for the host tower'),
    });
  });

  test.each([
    'nats.mai-fleet.internal',
    'join.mai-fleet.internal',
    '127.0.0.1',
    '*',
    '>',
    'a.b',
    'a"\n}',
    'a\n    user: "x"',
    '$KV',
    'UPPER',
    '-a',
    'a-',
    '',
    'a'.repeat(63) + 'b',
  ])('does not get the name %j', async (host) => {
    expect(await invited(host, await request('mallory'))).toMatchObject({ kind: 'refused' });
  });

  test('does not get a certificate for a request that names another host', async () => {
    expect(await invited('mallory', await request('laptop'))).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('does not name the host mallory'),
    });
  });

  const extensions: readonly (readonly [string, Extension])[] = [
    ['to be an authority', new BasicConstraintsExtension(true, 2, true)],
    [
      'for the name of another host',
      new SubjectAlternativeNameExtension([{ type: 'dns', value: 'laptop' }]),
    ],
    [
      'for the user of another host',
      new SubjectAlternativeNameExtension([{ type: 'url', value: 'mai://laptop/00' }]),
    ],
    [
      'for the name of nats-server',
      new SubjectAlternativeNameExtension([{ type: 'dns', value: 'nats.mai-fleet.internal' }]),
    ],
  ];
  test.each(extensions)('does not get a certificate %s', async (_what, extension) => {
    const keys = await globalThis.crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign', 'verify'],
    );
    const signingRequest = await Pkcs10CertificateRequestGenerator.create({
      name: 'CN=mallory',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [extension],
    });
    expect(await invited('mallory', signingRequest.toString('pem'))).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('asks for extensions'),
    });
  });

  test.each(['CN=mallory,CN=laptop', 'CN=mallory,O=fleet', 'O=mallory'])(
    'does not get a certificate for the subject %s',
    async (name) => {
      const keys = await globalThis.crypto.subtle.generateKey(
        { name: 'ECDSA', namedCurve: 'P-256' },
        false,
        ['sign', 'verify'],
      );
      const signingRequest = await Pkcs10CertificateRequestGenerator.create({
        name,
        keys,
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      });
      expect(await invited('mallory', signingRequest.toString('pem'))).toMatchObject({
        kind: 'refused',
        reason: expect.stringContaining('does not name the host mallory'),
      });
    },
  );

  test('does not get a certificate for the public key of another host', async () => {
    // The request holds the laptop's public key, which everybody can read in its certificate, but another key signed it.
    const own = await generateKeyPair();
    const { certificate } = await readFleetIdentity(fleet.folder('laptop'));
    const publicKey = new X509Certificate(certificate).publicKey.export({
      type: 'spki',
      format: 'pem',
    });
    const signingRequest = await createSigningRequest(
      { privateKey: own.privateKey, publicKey: String(publicKey) },
      'mallory',
    );
    expect(await invited('mallory', signingRequest)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('not signed'),
    });
  });

  test('does not get a certificate for a text that is not a request', async () => {
    expect(await invited('mallory', 'no request')).toMatchObject({ kind: 'refused' });
  });
});

describe('a machine between the joiner and the inviting host', () => {
  /** Takes the connection of a joiner in place of the inviting host, and keeps what it gets. */
  async function inBetween(certificate: { cert: string; key: string }) {
    const received: string[] = [];
    const port = await freePort();
    const server = createServer({ ...certificate, minVersion: 'TLSv1.3' });
    server.on('secureConnection', (socket) => {
      socket.on('data', (chunk) => received.push(String(chunk)));
      socket.on('error', () => undefined);
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return {
      port,
      received,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  async function redirected(port: number): Promise<Invitation> {
    const { authorityCertificate } = await readFleetIdentity(fleet.folder('desktop'));
    return {
      address: '127.0.0.1',
      port,
      secret: randomBytes(16),
      authorityFingerprint: certificateFingerprint(authorityCertificate),
    };
  }

  const attempts: readonly (readonly [string, () => Promise<{ cert: string; key: string }>])[] = [
    [
      'of another authority',
      async () => {
        const authority = await issueAuthority(new Date());
        const own = await issueJoinCertificate(authority, new Date());
        return { cert: `${own.certificate}\n${authority.certificate}`, key: own.privateKey };
      },
    ],
    [
      "of another authority, with the fleet's authority behind it in the chain",
      async () => {
        const authority = await issueAuthority(new Date());
        const own = await issueJoinCertificate(authority, new Date());
        const { authorityCertificate } = await readFleetIdentity(fleet.folder('desktop'));
        return { cert: `${own.certificate}\n${authorityCertificate}`, key: own.privateKey };
      },
    ],
    [
      'of a host of the fleet',
      async () => {
        const laptop = await readFleetIdentity(fleet.folder('laptop'));
        return {
          cert: `${laptop.certificate}\n${laptop.authorityCertificate}`,
          key: laptop.privateKey,
        };
      },
    ],
  ];
  test.each(attempts)('gets nothing with a certificate %s', async (_what, certificate) => {
    await using between = await inBetween(await certificate());
    const invitation = formatInvitation(await redirected(between.port));
    await expect(
      join({ folder: fleet.folder('tower'), invitation, host: 'tower' }),
    ).rejects.toMatchObject({
      code: 'INVITATION_REFUSED',
      message: expect.stringContaining('Another machine than the one that made this invitation'),
    });
    expect(between.received).toEqual([]);
    await expect(readdir(fleet.folder('tower'))).rejects.toThrow('ENOENT');
  });

  test('that only passes bytes on sees neither the secret nor a key', async () => {
    await using opened = await invite({ folder: fleet.folder('desktop'), host: 'other' });
    const invitation = parseInvitation(opened.text);
    const seen: Buffer[] = [];
    const relay = createTcpServer((near) => {
      const far = connectTcp({ host: '127.0.0.1', port: invitation.port });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('data', (chunk) => {
          seen.push(Buffer.from(chunk));
          to.write(chunk);
        });
        from.on('close', () => to.destroy());
        from.on('error', () => to.destroy());
      }
    });
    const port = await freePort();
    await new Promise<void>((resolve) => relay.listen(port, '127.0.0.1', resolve));
    await expect(
      join({
        folder: fleet.folder('tower'),
        invitation: formatInvitation({ ...invitation, port }),
        host: 'tower',
      }),
    ).rejects.toMatchObject({ message: expect.stringContaining('for the host other') });
    const bytes = Buffer.concat(seen);
    expect(bytes.length).toBeGreaterThan(1_000);
    expect(bytes.includes(invitation.secret)).toBe(false);
    for (const text of ['PRIVATE KEY', 'tower', 'signingRequest']) {
      expect(bytes.includes(text)).toBe(false);
    }
    await new Promise((resolve) => relay.close(resolve));
  });
});

test.each([
  ['three days late', 3],
  ['three days ahead', -3],
])('a joiner whose clock is %s is told of the clock, and sends nothing', async (_what, days) => {
  const paths = fleetPaths(fleet.folder('desktop'));
  const authority = {
    certificate: await readFile(paths.authorityCertificate, 'utf8'),
    privateKey: await readFile(paths.authorityKey, 'utf8'),
  };
  const { certificate, privateKey } = await issueJoinCertificate(
    authority,
    new Date(Date.now() + days * 86_400_000),
  );
  let requests = 0;
  const server = createServer(
    { cert: `${certificate}\n${authority.certificate}`, key: privateKey },
    (_request, response) => {
      requests += 1;
      response.end();
    },
  );
  server.on('tlsClientError', () => undefined);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const invitation = formatInvitation({
    address: '127.0.0.1',
    port,
    secret: randomBytes(16),
    authorityFingerprint: certificateFingerprint(authority.certificate),
  });
  try {
    await expect(
      join({ folder: fleet.folder('guest'), invitation, host: 'guest' }),
    ).rejects.toMatchObject({
      code: 'INVITATION_REFUSED',
      message: expect.stringMatching(/^By the clock of this machine it is .*Set the clocks/),
    });
    expect(requests).toBe(0);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
