// A TCP relay with a delay, for the links of `network.mjs`. Run as: node relay.mjs '[{ "relayPort", "address", "port" }]'
// DELAY_MS JITTER_MS USER [LISTEN_ADDRESS]. Each piece of data is handed on after DELAY_MS +- JITTER_MS, in order. The relay becomes
// USER, whose own connections are not redirected.
import { createServer, connect } from 'node:net';

const [, , ways, delayMs, jitterMs, user, listenAddress = '0.0.0.0'] = process.argv;
process.setuid(Number(user));

for (const { relayPort, address, port } of JSON.parse(ways)) {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: address, port, allowHalfOpen: true });
    later(near, far);
    later(far, near);
  });
  server.listen(relayPort, listenAddress);
}

function later(from, to) {
  let dueMs = 0;
  /** Calls `act` after the delay, and never before an earlier `act`. */
  const schedule = (act) => {
    const jitter = (Math.random() * 2 - 1) * Number(jitterMs);
    dueMs = Math.max(dueMs, performance.now() + Number(delayMs) + jitter);
    setTimeout(act, dueMs - performance.now());
  };
  from.on('data', (data) => schedule(() => to.writable && to.write(data)));
  from.on('end', () => schedule(() => to.end()));
  // A reset is handed on as a reset.
  from.on('error', () => schedule(() => to.destroy()));
  from.on('close', () => schedule(() => to.destroySoon()));
}
