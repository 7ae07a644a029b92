// http-proxy-3 with its defaults, which rewrites nothing: the model's name stays. Prints its port.
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

// Without an agent it opens a connection for each request, which would be compared with proxies that keep theirs.
const agent = new Agent({ keepAlive: true });
const proxy = createProxyServer({ target: process.env.UPSTREAM, agent });
const server = createServer((request, response) => proxy.web(request, response));
proxy.on('error', (_error, _request, response) => response.destroy());
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', 4096, () =>
  console.log(JSON.stringify({ port: server.address().port })),
);
