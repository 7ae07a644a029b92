// A runtime that answers at once: JSON, or a stream of 20 chunks with a pause between two. A stream with `"hold":true` in
// its request does not end before somebody has asked for /release. Its own CPU time does not count. Prints its port.
import { createServer } from 'node:http';

const CHUNKS = 20;
const PAUSE_MS = Number(process.env.CHUNK_PAUSE_MS ?? 2);
const HELD_PAUSE_MS = 500;
let isReleased = false;
const ANSWER = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'bench/model',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'word '.repeat(40) },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 100, completion_tokens: 40, total_tokens: 140 },
});
const event = (delta, finish) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'bench/model', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const EVENTS = [
  event({ role: 'assistant', content: '' }, null),
  ...Array.from({ length: CHUNKS - 3 }, (_, index) => event({ content: ` word${index}` }, null)),
  event({}, 'stop'),
  `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"bench/model","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":18,"total_tokens":118}}\n\ndata: [DONE]\n\n`,
];

const server = createServer((request, response) => {
  if (request.url === '/release') {
    isReleased = true;
    response.end();
    return;
  }
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    if (!body.includes('"stream":true')) {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(ANSWER),
      });
      response.end(ANSWER);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const held = body.includes('"hold":true');
    let next = 0;
    const send = () => {
      if (response.destroyed) return;
      response.write(EVENTS[next]);
      const waits = held && !isReleased;
      if (!waits || next === 0) next += 1;
      if (next === EVENTS.length) response.end();
      else setTimeout(send, waits ? HELD_PAUSE_MS : PAUSE_MS);
    };
    send();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', 4096, () =>
  console.log(JSON.stringify({ port: server.address().port })),
);
