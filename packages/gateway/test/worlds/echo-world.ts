import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import {
  createGateway,
  type Gateway,
  type GatewayOptions,
  type ServingPort,
} from '../../src/index.js';
import { EMPTY_CATALOG, leaseOn, listenOn } from './serve-through.js';

export const RESIDENT = 'org/resident';

/** A request as the runtime received it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A gateway in front of a runtime that keeps what it receives, byte for byte. */
export interface EchoWorld extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly serving: ServingPort;
  readonly url: string;
  /** Address of the runtime. */
  readonly httpUrl: string;
  readonly received: readonly ReceivedRequest[];
}

const CHUNK = `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n`;
const ANSWER = '{"id":"c","object":"chat.completion","choices":[],"usage":null}';

/**
 * Opens a gateway with one resident, which serves every request.
 *
 * @param respond - answers in the place of the runtime
 */
export async function openEchoWorld(
  options: GatewayOptions = {},
  respond: (response: ServerResponse, body: Buffer) => void = answerAtOnce,
): Promise<EchoWorld> {
  const received: ReceivedRequest[] = [];
  const runtime = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url: target = '', headers } = request;
      received.push({ method, target, headers, body });
      respond(response, body);
    });
  });
  const httpUrl = await listenOn(runtime);
  const serving = servingOf(httpUrl);
  const gateway = await createGateway({ serving }, options);
  const { url } = await gateway.listen({ port: 0 });
  return {
    gateway,
    serving,
    url,
    httpUrl,
    received,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      runtime.closeAllConnections();
      await new Promise((resolve) => runtime.close(resolve));
    },
  };
}

function answerAtOnce(response: ServerResponse, body: Buffer): void {
  if (body.includes('"stream":true')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(CHUNK);
    response.end('data: [DONE]\n\n');
  } else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(ANSWER);
  }
}

function servingOf(httpUrl: string): ServingPort {
  const resident = {
    instanceIdentifier: RESIDENT,
    contextLengthTokens: 131_072,
    foreign: false,
    host: null,
  };
  return {
    catalog: async () => ({
      ...EMPTY_CATALOG,
      models: [
        {
          modelKey: RESIDENT,
          displayName: 'Resident',
          kind: 'llm',
          tier: 'medium',
          capabilities: ['chat', 'tools', 'vision', 'embedding'],
          contextLengthTokens: 131_072,
          maxContextLengthTokens: 131_072,
          sizeBytes: 4e9,
          downloaded: true,
          hosts: null,
          residents: [resident],
        },
      ],
      chains: { default: [RESIDENT] },
    }),
    plan: async () => ({
      decision: 'serve',
      modelKey: RESIDENT,
      unloads: [],
      loadBytes: null,
      selection: { decision: 'keep', rejected: [] },
    }),
    acquire: async () => ({
      ...leaseOn({ httpUrl, residents: () => [] }, RESIDENT),
      capabilities: ['chat', 'tools', 'vision', 'embedding'],
      contextLengthTokens: 131_072,
    }),
    changes: ({ signal } = {}) => silence(signal),
  };
}

/** No change until the signal fires. */
async function* silence(signal: AbortSignal | undefined): AsyncGenerator<never> {
  await new Promise<void>((resolve) => {
    if (signal === undefined || signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  yield* [];
}
