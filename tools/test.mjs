// `npm test`: installs what is missing, bundles every package and runs all tests. Six packages are tested at once,
// because the tests of some wait for processes while those of others compute.
import './ensure-nats-server.mjs';
import { ensureInstalled } from './ensure-installed.mjs';

ensureInstalled();
const { nx } = await import('./nx.mjs');
nx(['run-many', '-t', 'test', '--parallel=6', '--outputStyle=static', ...process.argv.slice(2)]);
