import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { listen, type Listening } from './listen.js';

jest.setTimeout(60_000);

const KEEP_ALIVE_MS = 200;
/** Node 24 ends an idle connection a second after the time that it promises. */
const LONGER_MS = KEEP_ALIVE_MS + 1500;
const REQUEST = 'GET / HTTP/1.1\r\nHost: gateway\r\n\r\n';

let server: Listening;
let client: Socket;
beforeEach(async () => {
  server = await listen((_request, response) => response.end('answered'), {
    port: 0,
    keepAliveMs: KEEP_ALIVE_MS,
  });
  client = connect(server.port, server.host);
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

/** Sends a request, and resolves when its answer has come. Rejects where the connection breaks. */
async function ask(): Promise<void> {
  client.write(REQUEST);
  for (let text = ''; !text.includes('answered');) {
    const [data] = (await once(client, 'data')) as [Buffer];
    text += data.toString('latin1');
  }
}

test('a request that arrives while the process is suspended gets its answer, also after the idle time', async () => {
  await ask();
  const answer = ask();
  // The request is with the system now, and this process does not read it until its timers are due.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LONGER_MS);
  await expect(answer).resolves.toBeUndefined();
});

test('a request that has arrived when the server closes gets its answer', async () => {
  await ask();
  const answer = ask();
  // The request is with the system now, and this process has not read it.
  const closed = server.close();
  await expect(answer).resolves.toBeUndefined();
  await closed;
  expect(
    await new Promise((resolve) =>
      connect(server.port, server.host, () => resolve('open')).on('error', () =>
        resolve('refused'),
      ),
    ),
  ).toBe('refused');
});

test('an idle connection ends', async () => {
  await ask();
  await once(client, 'close');
  expect(client.destroyed).toBe(true);
});

/** Connections that arrive in a minute, from seventeen clients a second. */
const CONNECTIONS = 1000;
const SYSTEM_LIMIT_FILE = '/proc/sys/net/core/somaxconn';

function systemTakes(): boolean {
  return (
    process.platform === 'linux' && Number(readFileSync(SYSTEM_LIMIT_FILE, 'utf8')) >= CONNECTIONS
  );
}

(systemTakes() ? test : test.skip)(
  'connections that arrive while the process is suspended stand, so their clients do not give up',
  () => {
    // Opens the connections, and prints how many stand once no further one has come for two seconds.
    const clients = `
      const { connect } = require('node:net');
      let count = 0;
      const end = () => { console.log(count); process.exit(0); };
      let timer = setTimeout(end, 2000);
      for (let i = 0; i < ${CONNECTIONS}; i += 1)
        connect(${server.port}, '127.0.0.1', () => {
          count += 1;
          clearTimeout(timer);
          timer = setTimeout(end, count === ${CONNECTIONS} ? 0 : 2000);
        }).on('error', () => undefined);`;
    // This process accepts nothing until the other one has ended.
    const { stdout } = spawnSync(process.execPath, ['-e', clients], { encoding: 'utf8' });
    expect(Number(stdout)).toBe(CONNECTIONS);
  },
);
