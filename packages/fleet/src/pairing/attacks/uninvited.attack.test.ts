import { connect as connectTcp } from 'node:net';
import { createServer, get } from 'node:https';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import { fleetTls, pairedFleet, type PairedFleet } from '../../../test/paired-fleet.js';
import { rawNats } from '../../../test/raw-nats.js';
import { waitUntil } from '../../../test/wait-until.js';
import { connectFleet } from '../../nats/connection.js';
import { peerConnectOptions, peerHost, peerListenOptions } from '../hosts/peer-tls.js';
import {
  issueAuthority,
  issueHostCertificate,
  issueNatsCertificate,
  keyFingerprint,
} from '../../certificates/issue.js';
import { connectionOf, readFleetIdentity } from '../identity.js';
import { removeHost } from '../hosts/remove-host.js';
import { generateKeyPair } from '../../certificates/x509-door.js';

// The attacker is on the same network and belongs to no fleet, or to a fleet of its own.

jest.setTimeout(120_000);

const REFUSED = /certificate|alert|closed|reset|ended|bad|unknown|EPIPE|authorization|hang up/i;

/** Key and certificate of a nats-server of another fleet. */
async function foreignIdentity(): Promise<{ readonly cert: string; readonly key: string }> {
  const { publicKey, privateKey } = await generateKeyPair();
  const authority = await issueAuthority(new Date());
  const cert = await issueNatsCertificate(authority, '127.0.0.1', publicKey, new Date());
  return { cert, key: privateKey };
}

/** Fields of the line that nats-server sends before TLS. `api_lvl` and `xkey`, a public key for another kind of login, came after 2.9. */
const HARMLESS = [
  ...['api_lvl', 'auth_required', 'client_id', 'client_ip', 'go', 'headers', 'host', 'jetstream'],
  ...['max_payload', 'port', 'proto', 'server_id', 'server_name', 'tls_required', 'tls_verify'],
  ...['version', 'xkey'],
];

let fleet: PairedFleet;

beforeAll(async () => {
  fleet = await pairedFleet(['laptop', 'former']);
  formerTls = await fleetTls(fleet.folder('former'));
  await removeHost({ folder: fleet.folder('desktop'), host: 'former' });
});

let formerTls: ConnectionOptions;

afterAll(() => fleet[Symbol.asyncDispose]());

/** A certificate for a host of the fleet, but of the attacker's own authority. */
async function forgedTls(host: string, user?: string): Promise<ConnectionOptions> {
  const authority = await issueAuthority(new Date());
  const keys = await generateKeyPair();
  const issued = await issueHostCertificate(authority, host, keys.publicKey, new Date());
  expect(issued.user).not.toBe(user);
  return {
    cert: `${issued.certificate}\n${authority.certificate}`,
    key: keys.privateKey,
    rejectUnauthorized: false,
  };
}

describe('nats-server', () => {
  test('refuses a client without a certificate', async () => {
    await expect(rawNats(fleet.natsPort, { rejectUnauthorized: false })).rejects.toThrow(REFUSED);
  });

  test('refuses a certificate for a host of the fleet by another authority', async () => {
    await expect(rawNats(fleet.natsPort, await forgedTls('laptop'))).rejects.toThrow(REFUSED);
  });

  test('refuses the certificate of a removed host', async () => {
    await expect(rawNats(fleet.natsPort, formerTls)).rejects.toThrow('Authorization Violation');
  });

  test('refuses a client without TLS, and has told it nothing about the fleet', async () => {
    const socket = connectTcp({ host: '127.0.0.1', port: fleet.natsPort });
    let received = '';
    socket.on('data', (chunk) => (received += String(chunk)));
    socket.on('error', () => undefined);
    socket.write('CONNECT {"verbose":false}\r\nSUB > 1\r\nPING\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received).not.toContain('PONG');
    expect(received).not.toContain('MSG');
    const { authority, host } = await readFleetIdentity(fleet.folder('laptop'));
    for (const name of [authority, host, 'former', 'mai://']) expect(received).not.toContain(name);
    // nats-server sends this line before TLS. It holds its version and the address that it listens on, and nothing else of interest.
    const [info = ''] = received.split('\r\n');
    const fields = Object.keys(JSON.parse(info.replace(/^INFO /, '')));
    expect(fields.filter((field) => !HARMLESS.includes(field))).toEqual([]);
    expect(fields).toContain('version');
  });
});

describe('the join server', () => {
  test('does not listen while no invitation is open', async () => {
    const refused = new Promise<string>((resolve) => {
      const socket = connectTcp({ host: '127.0.0.1', port: fleet.joinPort });
      socket.once('connect', () => resolve('connected'));
      socket.once('error', ({ message }) => resolve(message));
    });
    expect(await refused).toContain('ECONNREFUSED');
  });
});

describe('a gateway', () => {
  /** A gateway of `laptop` as the fleet makes it: it answers hosts on the allow-list. */
  async function gateway() {
    const identity = await readFleetIdentity(fleet.folder('laptop'));
    const { allowList } = await readFleetIdentity(fleet.folder('desktop'));
    const answered: string[] = [];
    const server = createServer(peerListenOptions(identity), (request, response) => {
      const { socket } = request;
      const host =
        'getPeerCertificate' in socket && typeof socket.getPeerCertificate === 'function'
          ? peerHost(allowList, socket.getPeerCertificate())
          : null;
      if (host === null) {
        socket.destroy();
        return;
      }
      answered.push(host);
      response.end('secret');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return {
      answered,
      port: typeof address === 'object' && address !== null ? address.port : 0,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  function ask(port: number, options: ConnectionOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
  }

  test('answers a host of the fleet', async () => {
    await using laptop = await gateway();
    const desktop = await readFleetIdentity(fleet.folder('desktop'));
    const options = peerConnectOptions(desktop, 'laptop', () => desktop.allowList);
    expect(await ask(laptop.port, options)).toBe('secret');
    expect(laptop.answered).toEqual(['desktop']);
  });

  test.each([
    ['without a certificate', async () => ({ rejectUnauthorized: false })],
    ['with a certificate of another authority', () => forgedTls('desktop')],
    ['with the certificate of a removed host', async () => formerTls],
    ['with the certificate of nats-server of another fleet', foreignServer],
  ])('refuses a client %s', async (_what, options) => {
    await using laptop = await gateway();
    await expect(ask(laptop.port, { ...(await options()), servername: 'laptop' })).rejects.toThrow(
      REFUSED,
    );
    expect(laptop.answered).toEqual([]);
  });

  async function foreignServer(): Promise<ConnectionOptions> {
    return { ...(await foreignIdentity()), rejectUnauthorized: false };
  }

  test('of another host that answers in the place of the laptop gets no request', async () => {
    // The desktop's own certificate is genuine, but it is not the laptop's.
    const desktop = await readFleetIdentity(fleet.folder('desktop'));
    let requests = 0;
    const server = createServer(peerListenOptions(desktop), (_request, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const laptop = await readFleetIdentity(fleet.folder('laptop'));
    const options = peerConnectOptions(laptop, 'tower', () => desktop.allowList);
    await expect(
      ask(typeof address === 'object' && address !== null ? address.port : 0, options),
    ).rejects.toThrow("not on the fleet's allow-list");
    expect(requests).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });

  test('of a removed host gets no request', async () => {
    const former = { ...(await readFleetIdentity(fleet.folder('former'))) };
    let requests = 0;
    const server = createServer(peerListenOptions(former), (_request, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const desktop = await readFleetIdentity(fleet.folder('desktop'));
    const options = peerConnectOptions(desktop, 'former', () => desktop.allowList);
    await expect(
      ask(typeof address === 'object' && address !== null ? address.port : 0, options),
    ).rejects.toThrow("not on the fleet's allow-list");
    expect(requests).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });
});

test('a server with a certificate of another authority gets nothing from a host that looks for nats-server', async () => {
  const received: string[] = [];
  const server = createServer(await foreignIdentity());
  server.on('secureConnection', (socket) => {
    socket.on('data', (chunk) => received.push(String(chunk)));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const { credentials } = await readFleetIdentity(fleet.folder('laptop'));
  const tls = await fleetTls(fleet.folder('laptop'));
  const outcome = await new Promise<string>((resolve) => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: typeof address === 'object' && address !== null ? address.port : 0,
      ...tls,
      servername: credentials.servername,
    });
    socket.once('secureConnect', () => resolve('connected'));
    socket.once('error', ({ message }) => resolve(message));
  });
  expect(outcome).not.toBe('connected');
  expect(received).toEqual([]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('a server with a genuine certificate whose key is revoked gets no host', async () => {
  const laptop = connectionOf(await readFleetIdentity(fleet.folder('laptop')));
  const desktop = await readFleetIdentity(fleet.folder('desktop'));
  await using refusing = await connectFleet({
    ...laptop,
    revokedKeys: [keyFingerprint(desktop.certificate)],
  });
  await waitUntil(() => refusing.fault !== null, 'the first attempt has failed');
  expect([refusing.connected, refusing.fault?.message]).toEqual([
    false,
    expect.stringContaining('removed from the fleet'),
  ]);
  await using taking = await connectFleet({ ...laptop, revokedKeys: ['f'.repeat(64)] });
  await waitUntil(() => taking.connected, 'another key is taken');
});
