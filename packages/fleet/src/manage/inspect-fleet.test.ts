import { loadedModel } from '../../test/known-hosts.js';
import { pairedFleet, type PairedFleet } from '../../test/paired-fleet.js';
import { ownLoad, ownState } from '../../test/states.js';
import { openMembers } from '../membership/members.js';
import type { OwnFacts } from '../own/own-facts.js';
import { describeHosts } from '../text/describe-hosts.js';
import { writeServing } from '../pairing/files/serving.js';
import { watchFleet } from './inspect-fleet.js';

jest.setTimeout(120_000);

/** LM Studio on this machine shows a device of LM Link. */
const FACTS: OwnFacts = {
  versions: { runtime: 'lmstudio', runtimeVersion: '0.4.21' },
  pools: [],
  models: [],
  pressureRatio: null,
  chains: {},
  linkDevices: [
    {
      deviceIdentifier: 'abc-device',
      models: [loadedModel({ fit: null }, { instanceIdentifier: 'far:qwen' })],
    },
  ],
  fleet: {
    labels: {},
    chains: null,
    requiredLabels: {},
    minTokensPerSecond: 6,
    guests: { memoryRatio: 0, hours: null },
  },
};

let fleet: PairedFleet;
beforeAll(async () => {
  fleet = await pairedFleet(['laptop']);
});
afterAll(() => fleet[Symbol.asyncDispose]());

test('the machine that is asked is shown with its own load and memory, like the others', async () => {
  await using own = openMembers({ connection: await fleet.connect('desktop'), watch: true });
  await using other = openMembers({ connection: await fleet.connect('laptop'), watch: true });
  own.publish(ownState());
  own.beat(ownLoad({ running: 2, queued: 1, pressureRatio: 0.62 }));
  other.publish(ownState());
  other.beat(ownLoad({ pressureRatio: 0.4 }));
  const ending = new AbortController();
  const views = watchFleet(fleet.folder('desktop'), {
    signal: ending.signal,
    facts: { fleetFacts: async () => FACTS },
    warn: (message) => {
      throw new Error(message);
    },
  });
  try {
    // The first view may be early on a busy machine.
    for (;;) {
      const { value: view } = await views.next();
      if (view === undefined) throw new Error('The views have ended.');
      const rows = describeHosts(view);
      if (
        rows.length < 3 ||
        rows.some(({ host, load }) => host !== 'abc-device' && ['unknown', ''].includes(load))
      )
        continue;
      expect(rows).toMatchObject([
        {
          host: 'desktop',
          state: 'this machine, ready',
          load: '2 running, 1 waiting',
          memory: '62 % of its limit',
        },
        { host: 'laptop', state: 'ready', load: 'idle', memory: '40 % of its limit' },
        {
          host: 'abc-device',
          state: 'LM Link, without Mai',
          load: 'unknown',
          memory: 'unknown',
          residents: ['far:qwen'],
          models: 'unknown',
        },
      ]);
      break;
    }
  } finally {
    ending.abort();
    await views.return(undefined);
  }
});

test('a machine whose name another one serves under is shown as displaced, and not as ready', async () => {
  await using copy = openMembers({ connection: await fleet.connect('laptop'), watch: false });
  copy.publish(ownState());
  copy.beat(ownLoad());
  const stateAfter = async (epoch: string): Promise<string | undefined> => {
    await writeServing(fleet.folder('laptop'), epoch);
    const ending = new AbortController();
    for await (const view of watchFleet(fleet.folder('laptop'), {
      signal: ending.signal,
      facts: { fleetFacts: async () => FACTS },
      warn: (message) => {
        throw new Error(message);
      },
    })) {
      const own = describeHosts(view).find(({ host }) => host === 'laptop');
      // The copy may not have been heard in the first view on a busy machine.
      if (own?.usable === true || own?.state.includes('displaced') === true) return own.state;
    }
    return undefined;
  };
  expect(await stateAfter(copy.epoch)).toBe('this machine, ready');
  expect(await stateAfter('the-epoch-of-this-machine')).toMatch(/^this machine, displaced by/);
});
