import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fleet } from '@mai/fleet';
import {
  createGateway,
  type Gateway,
  type Listening,
  openKeyStore,
  systemClock,
} from '@mai/gateway';
import { type AutopilotPlace, DECISION_WORDS, type Host } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import { requestOf } from '../../arguments/shared-options.js';
import type { CommandContext } from '../../context.js';
import { errorJson, EXIT, type ExitCode, messageOf } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';
import { createWatchLines } from '../../views/watch/watch-lines.js';
import { createEventLines } from '../../views/watch/event-lines.js';
import { joinFleet, openPeerGateway } from './fleet-gateway.js';
import { keysFileOf } from './keys.js';

/** `mai serve`: runs the gateway and the autopilot until Ctrl-C. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  // The host outlives the signal: running requests need their models until they have ended.
  await using host = await openHostOf(context, { signal: undefined });
  // Reports a faulty configuration before anything listens.
  await host.config();
  await using fleet = input.has('fleet') ? await joinFleet(host, context) : null;
  await using gateway = await openGateway(host, fleet, context, input);
  await using peers =
    fleet === null ? null : await openPeerGateway(host, fleet, gateway, context, input);
  const server = await gateway.listen({
    port: input.port('port', 0) ?? undefined,
    tls: await tlsOf(input),
  });
  announce(server, context);
  if (input.has('listen') && !server.url.startsWith('https:')) {
    output.warn(
      'Requests and answers are not encrypted. Give --tls-cert and --tls-key to encrypt them.',
    );
  }
  const report = output.json ? createWatchLines(context).event : createEventLines(context);
  // The fleet first, so that no host sends a request that would be refused.
  const drained = drainAtEnd(context, [fleet, gateway, peers]);
  await host.keepAutopilot(
    { selection: requestOf(input) },
    { signal: drained, onEvent: report, onPlace: (place) => tellPlace(place, context) },
  );
  // A failed drain is a fault. After a clean drain, Ctrl-C and SIGTERM are the usual end.
  if (drained.reason !== signal.reason) throw drained.reason;
  return EXIT.success;
}

type Part = { drain(): unknown } | null;
/** Returns a signal that fires once all parts have been drained at the end. */
function drainAtEnd({ signal, output }: CommandContext, parts: readonly Part[]): AbortSignal {
  const drained = new AbortController();
  const drain = async (): Promise<void> => {
    output.note('Stopping. New requests are refused, and running ones have 30 seconds to end.');
    await Promise.all(parts.map((part) => part?.drain()));
    drained.abort(signal.reason);
  };
  const begin = (): void => {
    drain().catch((error: unknown) => drained.abort(error));
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return drained.signal;
}

async function openGateway(
  host: Host,
  fleet: Fleet | null,
  context: CommandContext,
  input: Input,
): Promise<Gateway> {
  const page = fileURLToPath(new URL('./page', import.meta.url));
  return createGateway(
    {
      serving: fleet?.serving ?? host.serving,
      control: { machine: host, words: DECISION_WORDS, fleet },
    },
    {
      host: input.text('listen') ?? undefined,
      keys: await openKeyStore(keysFileOf(host, context, input), systemClock),
      allowHosts: input.list('allow-host') ?? [],
      allowOrigins: input.list('allow-origin') ?? [],
      version: context.io.version,
      pageFolder: existsSync(path.join(page, 'index.html')) ? page : null,
      onError: (error) => context.output.warn(messageOf(error)),
    },
  );
}

async function tlsOf(
  input: Input,
): Promise<{ readonly cert: Buffer; readonly key: Buffer } | undefined> {
  const [cert, key] = [input.text('tls-cert'), input.text('tls-key')];
  if (cert === null || key === null) return undefined;
  const read = (file: string): Promise<Buffer> =>
    readFile(file).catch((error: unknown) => {
      throw new UsageError(`The file ${JSON.stringify(file)} cannot be read: ${messageOf(error)}.`);
    });
  return { cert: await read(cert), key: await read(key) };
}

function announce({ url, host, port }: Listening, { output }: CommandContext): void {
  const { style } = output;
  if (output.json) {
    output.lineJson({ type: 'listening', url, host, port });
    return;
  }
  output.result(
    [
      `${style.good('Serving')} at ${style.bold(url)}`,
      `  page       ${url}/`,
      `  OpenAI     ${url}/v1   model: auto`,
      `  Anthropic  ${url}`,
      `Connect a program with \`mai connect\`. Ctrl-C ends.`,
      '',
    ].join('\n'),
  );
}

function tellPlace(place: AutopilotPlace, { output }: CommandContext): void {
  if (output.json) {
    const error = place.kind === 'nowhere' ? { error: errorJson(place.error) } : {};
    output.lineJson({ type: 'autopilot', place: place.kind, ...error });
  } else if (place.kind === 'elsewhere') {
    output.note('Another process runs the autopilot, and this gateway uses it.');
  } else if (place.kind === 'nowhere') {
    output.warn(`${errorJson(place.error).message} Until then, requests get an error.`);
  }
}
