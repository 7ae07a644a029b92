import { pairedFleet, type PairedFleet } from '../../test/paired-fleet.js';
import { ownLoad, ownState } from '../../test/states.js';
import { openMembers } from '../membership/members.js';
import { describeHosts } from '../text/describe-hosts.js';
import { watchFleet } from './inspect-fleet.js';

jest.setTimeout(120_000);

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
  const views = watchFleet(fleet.folder('desktop'), ending.signal);
  try {
    // The first view may be early on a busy machine.
    for (;;) {
      const { value: view } = await views.next();
      if (view === undefined) throw new Error('The views have ended.');
      const rows = describeHosts(view.hosts, view.ownHost);
      if (rows.length < 2 || rows.some(({ load }) => load === 'unknown')) continue;
      expect(rows).toMatchObject([
        {
          ...{ host: 'desktop', state: 'this machine, ready', load: '2 running, 1 waiting' },
          memory: '62 % of its limit',
        },
        { host: 'laptop', state: 'ready', load: 'idle', memory: '40 % of its limit' },
      ]);
      break;
    }
  } finally {
    ending.abort();
    await views.return(undefined);
  }
});
