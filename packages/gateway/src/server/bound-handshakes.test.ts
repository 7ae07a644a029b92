import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeAuthority, makeCertificate } from '../../test/certificates.js';
import { MAX_HANDSHAKES } from './bound-handshakes.js';
import { listen } from './listen.js';

test('a machine that opens connections without a handshake does not keep a host of the fleet out', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-handshakes-'));
  const authority = await makeAuthority(folder, 'authority');
  const [own, other] = [
    await makeCertificate(folder, 'authority', 'attic'),
    await makeCertificate(folder, 'authority', 'porch'),
  ];
  const listening = await listen((_request, response) => response.end('served'), {
    port: 0,
    tls: { ...own, clientCa: authority.cert },
    isAdmitted: () => true,
    maxConnections: MAX_HANDSHAKES + 20,
  });
  const { port } = listening;
  const host = connectTls({
    ...{ port, host: '127.0.0.1', servername: 'attic' },
    ...{ ca: authority.cert, cert: other.cert, key: other.key },
  });
  await once(host, 'secureConnect');
  const silent: Socket[] = [];
  let closed = 0;
  for (let i = 0; i < MAX_HANDSHAKES + 50; i += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).once('close', () => (closed += 1));
    await once(socket, 'connect');
    silent.push(socket);
  }
  const late = connectTls({
    ...{ port, host: '127.0.0.1', servername: 'attic' },
    ...{ ca: authority.cert, cert: other.cert, key: other.key },
  });
  await once(late, 'secureConnect');
  for (const socket of [host, late]) {
    socket.write('GET / HTTP/1.1\r\nhost: attic\r\nconnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toContain('served');
  }
  // 50 too many, and the one whose place the late host has got.
  while (closed < 51) await sleep(20);
  expect(silent[51]?.destroyed).toBe(false);
  for (const socket of silent) socket.destroy();
  listening.destroy();
  await listening.close();
  await rm(folder, { recursive: true, force: true });
});
