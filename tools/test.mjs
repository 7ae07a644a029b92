// Installs what is missing, bundles every package and runs its tests:
//   npm test
//   npm run test:slow     the tests that take longest: real processes, engines and servers, and long simulations
import { availableParallelism } from 'node:os';
import './ensure-nats-server.mjs';
import { ensureInstalled } from './ensure-installed.mjs';

ensureInstalled();
const { nx } = await import('./nx.mjs');
const [target, ...options] = process.argv.slice(2);
// The tests wait for timers, processes and sockets, so more packages than cores run at once.
const parallel = `--parallel=${availableParallelism() + 2}`;
nx(['run-many', '-t', target, '--outputStyle=static', parallel, ...options]);
