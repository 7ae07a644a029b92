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
  /** What to hand on, in order. One timer serves all: separate timers may fire in another order, which breaks TLS. */
  const waiting = [];
  const handOn = () => {
    while (waiting.length > 0 && waiting[0].dueMs <= performance.now()) waiting.shift().act();
    if (waiting.length > 0) setTimeout(handOn, waiting[0].dueMs - performance.now());
  };
  const schedule = (act) => {
    const jitter = (Math.random() * 2 - 1) * Number(jitterMs);
    const earliestMs = waiting.at(-1)?.dueMs ?? 0;
    waiting.push({
      act,
      dueMs: Math.max(earliestMs, performance.now() + Number(delayMs) + jitter),
    });
    if (waiting.length === 1) setTimeout(handOn, waiting[0].dueMs - performance.now());
  };
  from.on('data', (data) => schedule(() => to.writable && to.write(data)));
  from.on('end', () => schedule(() => to.end()));
  // A reset is handed on as a reset.
  from.on('error', () => schedule(() => to.destroy()));
  from.on('close', () => schedule(() => to.destroySoon()));
}
