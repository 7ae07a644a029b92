// The floor: the least that a proxy can do that parses the body and replaces the model's name. node:http on one side,
// undici's dispatch on the other. Prints its port.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../packages/gateway/package.json', import.meta.url));
const { Agent } = require('undici');

const origin = process.env.UPSTREAM;
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: null, pipelining: 1 });
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    body.model = 'bench/model';
    const headers = without(request.headers, ['host', 'connection', 'content-length']);
    agent.dispatch(
      { origin, path: request.url, method: 'POST', headers, body: JSON.stringify(body) },
      {
        onRequestStart: (controller) => {
          response.once('close', () => {
            if (!response.writableFinished) controller.abort(new Error('gone'));
          });
        },
        onResponseStart: (_controller, status, answer) => {
          const kept = without(answer, ['connection', 'keep-alive', 'transfer-encoding']);
          response.writeHead(status, kept);
        },
        onResponseData: (controller, chunk) => {
          if (response.write(chunk)) return;
          controller.pause();
          response.once('drain', () => controller.resume());
        },
        onResponseEnd: () => response.end(),
        onResponseError: () => response.destroy(),
      },
    );
  });
});
process.once('SIGINT', () => process.exit(0));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', 4096, () =>
  console.log(JSON.stringify({ port: server.address().port })),
);

function without(headers, names) {
  const kept = { ...headers };
  for (const name of names) delete kept[name];
  return kept;
}
