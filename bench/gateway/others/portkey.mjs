// Portkey's gateway, which replaces the model's name as its configuration says. Prints its port and the headers that a
// request needs.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const config = {
  provider: 'openai',
  api_key: 'none',
  custom_host: `${process.env.UPSTREAM}/v1`,
  override_params: { model: 'bench/model' },
};
const port = await freePort();
process.argv.push(`--port=${port}`, '--headless');
// It prints a moving picture while it starts, and our parent reads the first line only.
const write = stdout.write.bind(stdout);
stdout.write = () => true;
await import('@portkey-ai/gateway/build/start-server.js');
while (!(await answers(port))) await sleep(100);
write(`${JSON.stringify({ port, headers: { 'x-portkey-config': JSON.stringify(config) } })}\n`);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address();
  server.close();
  await once(server, 'close');
  return free;
}

async function answers(at) {
  return fetch(`http://127.0.0.1:${at}/`).then(
    () => true,
    () => false,
  );
}
