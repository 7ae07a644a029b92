// A child process with the messages of an engine and faults on demand. The GGUF file is a JSON text that names them:
// { "stallAt": 0.5, "blocks": true, "refuse": "text", "crash": "text", "exit": 3, "hangOnStop": true, "silentState": true, "stalls": true, "works": true, "promptTokens": 0 }
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

process.on('disconnect', () => process.exit(0));
process.on('message', (message) => {
  if (message.type === 'load') load(message.spec);
  else if (!faults.hangOnStop) process.exit(0);
});

let faults = {};

function load(spec) {
  faults = JSON.parse(readFileSync(spec.file, 'utf8')).faults ?? {};
  if (faults.hangOnStop) process.on('SIGTERM', () => undefined);
  process.send({ type: 'progress', ratio: 0 });
  if (faults.stallAt !== undefined) {
    process.send({ type: 'progress', ratio: faults.stallAt });
    return;
  }
  if (faults.blocks) for (;;);
  if (faults.refuse !== undefined) {
    process.send({
      type: 'failed',
      message: faults.refuse,
      outOfMemory: false,
      reasonInOutput: false,
    });
    return;
  }
  if (faults.crash !== undefined) {
    process.stderr.write(`[INFO] loading\n${faults.crash}\n`, () =>
      process.kill(process.pid, faults.signal ?? 'SIGSEGV'),
    );
    return;
  }
  if (faults.exit !== undefined) process.exit(faults.exit);
  if (faults.works) setInterval(() => busyFor(80), 100);
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${spec.token}`) {
      response.writeHead(401).end();
    } else if (request.url === '/mai/state') {
      if (faults.silentState) return;
      const state = faults.stalls
        ? { activity: 'processing-prompt', queued: 1, promptTokens: faults.promptTokens ?? 0 }
        : { activity: 'idle', queued: 0, promptTokens: 0 };
      response.end(JSON.stringify({ ...state, lastUsedAtMs: null, reports: 0, pid: process.pid }));
    } else if (request.url === '/mai/stop') {
      response.end('{}', () => faults.hangOnStop || process.exit(0));
    } else {
      response.writeHead(404).end('{"error":{"message":"the fake engine answers nothing"}}');
    }
  });
  server.listen(0, '127.0.0.1', () => {
    process.send({
      type: 'ready',
      port: server.address().port,
      facts: {
        contextLengthTokens: faults.contextLengthTokens ?? spec.contextLengthTokens,
        flashAttention: true,
        vision: false,
        toolUse: false,
        bufferLines: [],
        systemInfo: '',
      },
    });
  });
}

function busyFor(ms) {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
