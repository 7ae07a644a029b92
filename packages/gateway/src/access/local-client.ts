import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** A caller without a key, for the queue. */
interface LocalClient {
  readonly name: string;
  readonly priority: number;
}

/** The caller that asked last on a connection. The requests of a connection come from one program, as a rule. */
const lastOn = new WeakMap<Socket, { readonly agent: string | undefined; client: LocalClient }>();

/** A caller without a key: the program that its `User-Agent` names, at its address. */
export function localClient({ headers, socket }: IncomingMessage): LocalClient {
  const agent = headers['user-agent'];
  const last = lastOn.get(socket);
  if (last !== undefined && last.agent === agent) return last.client;
  const program = /^[\w.-]{1,40}/.exec(agent ?? '')?.[0] ?? 'unnamed';
  const client = { name: `${program} at ${socket.remoteAddress ?? 'unknown'}`, priority: 0 };
  lastOn.set(socket, { agent, client });
  return client;
}
