// Sends requests at a fixed rate and prints the time to the first byte of the body of each, in milliseconds. Those of the first
// second are sent and not timed: this program compiles its code then, and opens its connections.
//   node client.mjs PORT json|stream RATE SECONDS [HEADERS]   (further headers as JSON)
import { Agent, request } from 'node:http';

const [port, kind, rate, seconds] = [
  Number(process.argv[2]),
  process.argv[3],
  Number(process.argv[4]),
  Number(process.argv[5]),
];
const moreHeaders = JSON.parse(process.argv[6] ?? '{}');
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const BODY = JSON.stringify({
  model: 'auto',
  messages: [
    { role: 'system', content: 'You are a helpful assistant. '.repeat(20) },
    { role: 'user', content: 'Explain how a proxy streams. '.repeat(100) },
  ],
  temperature: 0.2,
  ...(kind === 'stream' ? { stream: true, stream_options: { include_usage: true } } : {}),
});
const WARM_UP_MS = 1000;
const firstByteMs = [];
let failed = 0;

function send() {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    let bytes = 0;
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(BODY),
      'user-agent': 'bench',
      ...moreHeaders,
    };
    const sent = request(
      { agent, host: '127.0.0.1', port, method: 'POST', path: '/v1/chat/completions', headers },
      (response) => {
        response.on('data', (chunk) => {
          const isTimed = startedMs - startMs >= WARM_UP_MS;
          if (bytes === 0 && isTimed) firstByteMs.push(performance.now() - startedMs);
          bytes += chunk.length;
        });
        response.on('end', () => {
          if (response.statusCode !== 200) failed += 1;
          resolve();
        });
        response.on('error', () => {
          failed += 1;
          resolve();
        });
      },
    );
    sent.on('error', () => {
      failed += 1;
      resolve();
    });
    sent.end(BODY);
  });
}

const count = rate * seconds;
const startMs = performance.now();
const running = [];
for (let index = 0; index < count; index += 1) {
  const dueMs = startMs + (index * 1000) / rate;
  const waitMs = dueMs - performance.now();
  if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
  running.push(send());
}
await Promise.all(running);
agent.destroy();
console.log(
  JSON.stringify({ count, failed, firstByteMs: firstByteMs.map((ms) => Number(ms.toFixed(3))) }),
);
