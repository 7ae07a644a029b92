// Starts the nats-server of a host, as `mai serve --fleet` does. Takes JSON as its argument: `{ folder }`. Prints `{ pid }`.
import { ensureNatsServer } from '@mai/fleet';

const { folder } = JSON.parse(process.argv[2]);
process.stdout.write(JSON.stringify({ pid: await ensureNatsServer({ folder }) }));
process.exit(0);
