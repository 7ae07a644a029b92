import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock.js';
import type { FaultBook } from '../faults.js';
import type { RequestLog } from '../request-log.js';
import type { Authenticator } from './authenticator.js';
import type { Namespace, ServerChannel } from './endpoint.js';
import type { ClientFrame } from './frames.js';
import { authenticationSchema, clientFrameSchema } from './frames.js';
import { WireError } from './wire-error.js';

/** LM Studio closes a connection that has not authenticated by then. */
const AUTHENTICATION_DEADLINE_MS = 10_000;

/** The kinds of LM Studio's communication warnings that a server sends. */
type WarningKind =
  | 'rpcEndpointUnknown'
  | 'rpcParameterTypeError'
  | 'channelEndpointUnknown'
  | 'channelCreationParameterTypeError'
  | 'channelAlreadyOpen'
  | 'channelUnknown'
  | 'signalEndpointUnknown'
  | 'unknown';

export interface SessionOptions {
  readonly namespaceName: string;
  readonly namespace: Namespace;
  readonly authenticator: Authenticator;
  readonly clock: SimulatorClock;
  readonly faults: FaultBook;
  readonly log: RequestLog;
  onFrame(direction: 'received' | 'sent', frame: unknown): void;
}

interface OpenChannel {
  message: (message: unknown) => void;
  disconnect: () => void;
}

/** Serves one socket: authentication, then calls and channels until it closes. */
export function serveSocket(socket: WebSocket, options: SessionOptions): void {
  const { namespace, namespaceName, clock, faults, log } = options;
  const channels = new Map<number, OpenChannel>();
  let clientIdentifier: string | null = null;
  let lastSendMs = 0;

  const cancelDeadline = clock.schedule(() => {
    refuse('Authentication timed out');
  }, AUTHENTICATION_DEADLINE_MS);

  const transmit = (frame: object): void => {
    if (socket.readyState !== socket.OPEN) return;
    options.onFrame('sent', frame);
    socket.send(JSON.stringify(frame));
  };
  const send = (frame: object): void => {
    const slow = faults.strike('slow-frames');
    const nowMs = clock.now();
    // A late frame holds up those behind it: a socket keeps its order.
    if (slow === null && lastSendMs <= nowMs) {
      transmit(frame);
      return;
    }
    lastSendMs = Math.max(lastSendMs, nowMs) + (slow?.delayMs ?? 0);
    clock.schedule(() => transmit(frame), lastSendMs - nowMs);
  };
  const warn = (kind: WarningKind, warning: string): void => {
    send({ type: 'communicationWarning', warning, kind });
  };
  const refuse = (error: string): void => {
    transmit({ success: false, error });
    socket.close();
  };
  const isFor = (endpoint: string) => (fault: { readonly endpoint?: string }) =>
    fault.endpoint === undefined || fault.endpoint === endpoint;

  const authenticate = (frame: unknown): void => {
    if (faults.strike('mute-authentication')) return;
    const parsed = authenticationSchema.safeParse(frame);
    if (!parsed.success) {
      cancelDeadline();
      refuse('Invalid authentication packet');
      return;
    }
    log.add({
      via: 'websocket',
      namespace: namespaceName,
      endpoint: 'authenticate',
      parameter: null,
    });
    const rejection = faults.strike('reject-authentication');
    const error = rejection
      ? (rejection.text ?? 'Invalid API token')
      : options.authenticator.check(parsed.data.clientIdentifier, parsed.data.clientPasskey);
    cancelDeadline();
    if (error !== null) {
      refuse(error);
      return;
    }
    clientIdentifier = parsed.data.clientIdentifier;
    transmit({ success: true });
  };

  // True: a fault has swallowed the call.
  const struck = (endpoint: string): boolean => {
    if (faults.strike('hang', isFor(endpoint))) return true;
    if (faults.strike('drop-connection', (fault) => fault.endpoint === endpoint)) {
      socket.terminate();
      return true;
    }
    const warning = faults.strike('protocol-warning', isFor(endpoint));
    if (warning) warn('unknown', warning.text ?? `Simulated warning for ${endpoint}`);
    return false;
  };

  const callRpc = async (frame: ClientFrame & { readonly type: 'rpcCall' }): Promise<void> => {
    const { endpoint: name, callId } = frame;
    log.add({
      via: 'websocket',
      namespace: namespaceName,
      endpoint: name,
      parameter: frame.parameter,
    });
    if (struck(name)) return;
    const endpoint = namespace.get(name);
    if (endpoint?.kind !== 'rpc') {
      warn('rpcEndpointUnknown', `Received call to unknown rpc endpoint, endpoint = ${name}`);
      return;
    }
    try {
      const outcome = endpoint.call(frame.parameter);
      if (!outcome.valid) {
        const warning = `Received invalid parameters for rpcCall, endpoint = ${name}. ${outcome.problem}`;
        warn('rpcParameterTypeError', warning);
        return;
      }
      const result = await outcome.result;
      if (faults.strike('invalid-result', isFor(name))) {
        send({ type: 'rpcResult', callId, result: { simulated: 'wrong shape' } });
        return;
      }
      // `undefined` drops out of JSON: a void result has no `result` key, as with LM Studio.
      send({ type: 'rpcResult', callId, result });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      send({ type: 'rpcError', callId, error: error.serialized });
    }
  };

  const openChannel = (frame: ClientFrame & { readonly type: 'channelCreate' }): void => {
    const { endpoint: name, channelId, creationParameter } = frame;
    log.add({
      via: 'websocket',
      namespace: namespaceName,
      endpoint: name,
      parameter: creationParameter,
    });
    if (struck(name)) return;
    const endpoint = namespace.get(name);
    if (endpoint?.kind !== 'channel') {
      const warning = `Received channelCreate for unknown endpoint, endpoint = ${name}`;
      warn('channelEndpointUnknown', warning);
      return;
    }
    if (channels.has(channelId)) {
      warn('channelAlreadyOpen', `Channel already exists, channelId = ${channelId}`);
      return;
    }
    const open: OpenChannel = { message: () => {}, disconnect: () => {} };
    channels.set(channelId, open);
    const sendWhileOpen = (message: object): void => {
      if (channels.get(channelId) === open) send(message);
    };
    const server: ServerChannel = {
      send: (message) => sendWhileOpen({ type: 'channelSend', channelId, message }),
      close() {
        sendWhileOpen({ type: 'channelClose', channelId });
        channels.delete(channelId);
      },
      error(error) {
        sendWhileOpen({ type: 'channelError', channelId, error });
        channels.delete(channelId);
      },
      dropConnection: () => socket.terminate(),
      onMessage: (listener) => (open.message = listener),
      onDisconnect: (listener) => (open.disconnect = listener),
    };
    try {
      if (endpoint.open(creationParameter, server) === 'invalid') {
        channels.delete(channelId);
        const warning = `Received invalid creationParameter for channel, endpoint = ${name}`;
        warn('channelCreationParameterTypeError', warning);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      server.error(error.serialized);
    }
  };

  const receive = (frame: ClientFrame): void => {
    switch (frame.type) {
      case 'rpcCall':
        void callRpc(frame);
        break;
      case 'channelCreate':
        openChannel(frame);
        break;
      case 'channelSend': {
        const open = channels.get(frame.channelId);
        if (!open) {
          const warning = `Received channelSend for unknown channel, channelId = ${frame.channelId}`;
          warn('channelUnknown', warning);
          break;
        }
        if (frame.ackId !== undefined) {
          send({ type: 'channelAck', channelId: frame.channelId, ackId: frame.ackId });
        }
        log.add({
          via: 'websocket',
          namespace: namespaceName,
          endpoint: 'channelSend',
          parameter: frame.message,
        });
        open.message(frame.message);
        break;
      }
      case 'keepAlive':
        send({ type: 'keepAliveAck' });
        break;
      case 'signalSubscribe':
      case 'writableSignalSubscribe':
        warn('signalEndpointUnknown', `Unknown signal endpoint, endpoint = ${frame.endpoint}`);
        break;
      case 'communicationWarning':
        log.add({
          via: 'websocket',
          namespace: namespaceName,
          endpoint: 'communicationWarning',
          parameter: frame.warning,
        });
        break;
      case 'channelAck':
      case 'signalUnsubscribe':
      case 'writableSignalUnsubscribe':
      case 'writableSignalUpdate':
        break;
    }
  };

  socket.on('message', (data: Buffer) => {
    const frame = parseJson(data.toString('utf8'));
    options.onFrame('received', frame);
    if (clientIdentifier === null) {
      authenticate(frame);
      return;
    }
    const parsed = clientFrameSchema.safeParse(frame);
    if (parsed.success) receive(parsed.data);
    else warn('unknown', 'Received an invalid message');
  });
  socket.on('close', () => {
    cancelDeadline();
    const open = [...channels.values()];
    channels.clear();
    for (const { disconnect } of open) disconnect();
  });
  // A peer that resets the connection is the peer's business; 'close' follows.
  socket.on('error', () => {});
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
