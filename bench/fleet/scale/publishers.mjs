// Hosts without a gateway: each has its own connection, sends heartbeats, and changes its state now and then.
import { connectFleet, openMembers } from '@mai/fleet';
import { serve } from './processes.mjs';
import { stateOf } from './host-states.mjs';

/** Mean time between changes of a host, and the shortest: a host writes at most once a second. */
const [CHANGE_MS, MIN_CHANGE_MS] = [30_000, 1_100];

/** Hosts start within this time. */
const START_MS = 10_000;

const { url, first, count } = JSON.parse(process.argv[2]);
let heartbeats = 0;

for (let number = first; number < first + count; number += 1) {
  const connection = await connectFleet({
    servers: [url],
    host: `host-${number}`,
    credentials: null,
  });
  const counted = {
    ...connection,
    host: connection.host,
    publish: (subject, data) => {
      // A heartbeat that is dropped because there is no connection does not count.
      if (connection.connected) heartbeats += 1;
      connection.publish(subject, data);
    },
  };
  const members = openMembers({ connection: counted, watch: false });
  let revision = 0;
  const change = () => {
    revision += 1;
    members.publish(stateOf(number, revision));
    setTimeout(change, MIN_CHANGE_MS - Math.log(1 - Math.random()) * (CHANGE_MS - MIN_CHANGE_MS));
  };
  // Hosts do not start at the same moment.
  setTimeout(() => {
    members.beat({
      running: number % 3,
      queued: 0,
      residents: { 'qwen3-8b': number % 3 },
      pressureRatio: 0.62,
      ready: true,
    });
    change();
  }, Math.random() * START_MS);
}

serve({ count: () => ({ heartbeats }) });
