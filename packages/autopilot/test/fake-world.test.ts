import { systemClock } from '../src/ports/clock.js';
import { FakeWorld, GIB } from './fake-world.js';
import { describePortsContract } from './ports-contract.js';

describePortsContract('the fake world', async () => {
  const world = new FakeWorld([{ modelKey: 'small', bytes: 4 * GIB, kvBytes: GIB, loadMs: 4 }]);
  return {
    // Here time passes without the test, as with real ports.
    ports: world.portsWith(systemClock),
    modelKey: 'small',
    close: async () => undefined,
  };
});
