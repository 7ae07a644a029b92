// `npm test`: installs what is missing, bundles every package and runs all tests.
import './ensure-nats-server.mjs';
import { ensureInstalled } from './ensure-installed.mjs';

ensureInstalled();
const { nx } = await import('./nx.mjs');
nx(['run-many', '-t', 'test', '--outputStyle=static', ...process.argv.slice(2)]);
