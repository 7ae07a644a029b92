import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { ControlClient } from './control-client.js';

test('a closed client does not keep its process alive where the server does not close the connection', async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  const sockets: Socket[] = [];
  try {
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [other] = (await accepted) as [Socket];
    sockets.push(socket, other);
    other.resume();
    const client = new ControlClient(socket, process.pid);
    const keptAlive = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = keptAlive();
    await client.close();
    await once(other, 'end');
    expect(keptAlive()).toBe(before - 1);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
