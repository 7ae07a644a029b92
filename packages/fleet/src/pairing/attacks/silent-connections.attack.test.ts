import { connect, type Socket } from 'node:net';

import { pairedFleet } from '../../../test/paired-fleet.js';
import { waitUntil } from '../../../test/wait-until.js';

// The attacker opens connections to nats-server and sends nothing on them.

jest.setTimeout(120_000);

const CONNECTIONS = 3000;

test('a machine that opens silent connections to nats-server keeps no host out, and its connections end', async () => {
  await using fleet = await pairedFleet(['laptop', 'tower']);
  const laptop = await fleet.connect('laptop');
  let connections = 0;
  laptop.onConnected(() => (connections += 1));
  let open = 0;
  let opened = 0;
  const silent: Socket[] = [];
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const socket = connect({ host: '127.0.0.1', port: fleet.natsPort });
    socket.on('connect', () => {
      open += 1;
      opened += 1;
    });
    socket.on('close', () => (open -= 1));
    socket.on('error', () => undefined);
    socket.resume();
    silent.push(socket);
  }
  try {
    await waitUntil(() => opened === CONNECTIONS, 'the attacker is connected');
    const tower = await fleet.connect('tower');
    expect(await tower.roundTrip({ deadlineMs: 30_000, signal: null })).toBe(true);
    await waitUntil(() => open === 0, 'nats-server ends the silent connections');
    expect(await laptop.roundTrip({ deadlineMs: 30_000, signal: null })).toBe(true);
    // The host was connected when the attack began, and still is by the same connection.
    expect(connections).toBe(1);
  } finally {
    for (const socket of silent) socket.destroy();
  }
});
