// Further readers in one process. Each has its own connection, a watcher and all heartbeats, as a gateway has, but throws
// away what arrives, so that the server's limit is met before this machine's.
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { serve } from './processes.mjs';

const { url, count } = JSON.parse(process.argv[2]);
let receivedBytes = 0;
for (let number = 0; number < count; number += 1) {
  const connection = await connect({ servers: url });
  connection.subscribe('mai.heartbeat.*', { callback: () => undefined });
  const bucket = await new Kvm(connection).open('mai_hosts');
  const entries = await bucket.watch();
  void (async () => {
    for await (const { length } of entries) receivedBytes += length;
  })();
}
serve({ received: () => ({ receivedBytes }) });
