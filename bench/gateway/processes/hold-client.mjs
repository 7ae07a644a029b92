// Opens streams, holds all of them for some seconds, tells the runtime to end them and reads each to its end. Prints how
// many were lost and the most that were open at once.
//   node hold-client.mjs PORT RUNTIME_PORT COUNT
import { Agent, request } from 'node:http';

const [port, runtimePort, count] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const BODY = JSON.stringify({
  model: 'auto',
  messages: [{ role: 'user', content: 'Tell a long story.' }],
  stream: true,
  hold: true,
});
/** Pause between the starts of two streams: 500 streams a second. */
const OPEN_PAUSE_MS = 2;
const HOLD_MS = 3000;
let lost = 0;
let open = 0;
let mostOpen = 0;

function hold(onFirst) {
  return new Promise((resolve) => {
    let text = '';
    const settle = (isWhole) => {
      if (!isWhole) lost += 1;
      onFirst();
      resolve();
    };
    const sent = request(
      { agent, host: '127.0.0.1', port, method: 'POST', path: '/v1/chat/completions' },
      (response) => {
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          if (text === '') {
            open += 1;
            mostOpen = Math.max(mostOpen, open);
            onFirst();
          }
          text = text.slice(-20) + chunk;
        });
        response.on('end', () => {
          open -= 1;
          settle(response.statusCode === 200 && text.includes('data: [DONE]'));
        });
        response.on('error', () => settle(false));
      },
    );
    sent.setHeader('content-type', 'application/json');
    sent.on('error', () => settle(false));
    sent.end(BODY);
  });
}

const begun = [];
const ended = [];
for (let index = 0; index < count; index += 1) {
  begun.push(new Promise((resolve) => ended.push(hold(resolve))));
  // The first stream finds the model, so that the others do not wait in the queue.
  if (index === 0) await begun[0];
  await new Promise((resolve) => setTimeout(resolve, OPEN_PAUSE_MS));
}
await Promise.all(begun);
await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
await fetch(`http://127.0.0.1:${runtimePort}/release`);
await Promise.all(ended);
agent.destroy();
console.log(JSON.stringify({ count, lost, mostOpen }));
