import { freePort, startNatsServer, type TestNatsServer } from '../../test/nats-server.js';
import { ownLoad, ownState, sees } from '../../test/states.js';
import { waitUntil } from '../../test/wait-until.js';
import { connectFleet } from '../nats/connection.js';
import { openMembers, type Members } from './members.js';

jest.setTimeout(240_000);

const servers: TestNatsServer[] = [];
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
  for (const [index, port] of ports.entries()) {
    servers.push(
      await startNatsServer({
        config: [
          `server_name: "server-${index}"`,
          `cluster { name: "company", listen: "127.0.0.1:${port}", routes: ${JSON.stringify(routes)} }`,
        ].join('\n'),
      }),
    );
  }
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

const join = async (
  host: string,
  options: { first: number; replicas: number },
): Promise<{ members: Members; tell(label: string): void }> => {
  const urls = servers.map(({ url }) => url);
  const connection = await connectFleet({
    servers: [...urls.slice(options.first), ...urls.slice(0, options.first)],
    host,
    credentials: null,
  });
  const members = openMembers({ connection, watch: true, replicas: options.replicas });
  ends.push(async () => {
    await members[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
  });
  return {
    members,
    tell: (label) => {
      members.publish(ownState({ labels: { label } }));
      members.beat(ownLoad());
    },
  };
};

// With one copy the bucket may be on the server that dies. Then the hosts themselves are asked for their states.
it.each([1, 3])(
  'goes on with two of three servers, with %d copies of the states',
  async (replicas) => {
    const hosts = await Promise.all(
      [0, 1, 2].map((first) => join(`host-${first}`, { first, replicas })),
    );
    const converge = async (label: string): Promise<void> => {
      for (const host of hosts) host.tell(label);
      for (const reader of hosts)
        for (const index of [0, 1, 2])
          await waitUntil(sees(reader, `host-${index}`, label), `host-${index} is seen`, 60_000);
    };
    await converge('three');
    for (const server of servers) {
      await server.kill();
      await converge('two');
      await server.restart();
      await converge('three again');
    }
  },
);
