import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock/clock.js';
import type { ActiveFaults } from '../faults/active-faults.js';
import type { RequestLog } from '../request-log.js';
import type { Authenticator } from './authenticator.js';
import type { ChannelTable } from './channel-table.js';
import { createChannelTable } from './channel-table.js';
import type { Namespace } from './endpoint.js';
import type { FrameSender } from './frame-sender.js';
import { createFrameSender } from './frame-sender.js';
import type { ClientFrame } from './frames.js';
import { authenticationSchema, clientFrameSchema } from './frames.js';
import { WireError } from './wire-error.js';

/** LM Studio closes a connection that has not authenticated within this time. */
const AUTHENTICATION_DEADLINE_MS = 10_000;

// The result of the fault invalid-result. No schema of the SDK accepts it.
const WRONG_SHAPE = { simulated: 'wrong shape' };

export interface SessionOptions {
  readonly namespaceName: string;
  readonly namespace: Namespace;
  readonly authenticator: Authenticator;
  readonly clock: SimulatorClock;
  readonly faults: ActiveFaults;
  readonly log: RequestLog;
  onFrame(direction: 'received' | 'sent', frame: unknown): void;
}

/** Serves one socket: authentication first, then calls and channels until it closes. */
export function serveSocket(socket: WebSocket, options: SessionOptions): void {
  const { clock, faults } = options;
  const sender = createFrameSender(socket, clock, faults, (frame) =>
    options.onFrame('sent', frame),
  );
  const channels = createChannelTable(sender, () => socket.terminate());
  const receive = createReceiver(socket, sender, channels, options);
  // Set once the client is authenticated.
  let release: (() => void) | null = null;

  const refuse = (error: string): void => {
    sender.sendNow({ success: false, error });
    socket.close();
  };
  const cancelDeadline = clock.schedule(
    () => refuse('Authentication timed out'),
    AUTHENTICATION_DEADLINE_MS,
  );

  const authenticate = (frame: unknown): void => {
    const parsed = authenticationSchema.safeParse(frame);
    // LM Studio ignores a malformed packet and waits for another packet until the deadline.
    if (!parsed.success || faults.trigger('mute-authentication')) return;
    cancelDeadline();
    const { clientIdentifier, clientPasskey } = parsed.data;
    options.log.add({
      via: 'websocket',
      namespace: options.namespaceName,
      endpoint: 'authenticate',
      parameter: { clientIdentifier },
    });
    const rejection = faults.trigger('reject-authentication');
    const admission = rejection
      ? { refusal: rejection.text ?? 'Invalid API token' }
      : options.authenticator.admit(clientIdentifier, clientPasskey);
    if ('refusal' in admission) {
      refuse(admission.refusal);
      return;
    }
    release = () => admission.release();
    sender.sendNow({ success: true });
  };

  socket.on('message', (data: Buffer) => {
    const frame = parseJson(data.toString('utf8'));
    options.onFrame('received', frame);
    if (release === null) {
      authenticate(frame);
      return;
    }
    const parsed = clientFrameSchema.safeParse(frame);
    // LM Studio does not answer a malformed frame.
    if (parsed.success) receive(parsed.data);
  });
  socket.on('close', () => {
    cancelDeadline();
    release?.();
    channels.disconnect();
  });
  // A client may reset the connection. 'close' follows and cleans up.
  socket.on('error', () => {});
}

function createReceiver(
  socket: WebSocket,
  sender: FrameSender,
  channels: ChannelTable,
  { namespace, namespaceName, faults, log }: SessionOptions,
): (frame: ClientFrame) => void {
  const note = (endpoint: string, parameter: unknown): void =>
    log.add({ via: 'websocket', namespace: namespaceName, endpoint, parameter });

  // Returns whether a fault prevents an answer.
  const isPrevented = (endpoint: string): boolean => {
    if (faults.triggerFor('hang', { endpoint })) return true;
    if (faults.trigger('drop-connection', (fault) => fault.endpoint === endpoint)) {
      socket.terminate();
      return true;
    }
    const warning = faults.triggerFor('protocol-warning', { endpoint });
    if (warning) sender.warn('unknown', warning.text ?? `Simulated warning for ${endpoint}`);
    return false;
  };

  const callRpc = async (name: string, callId: number, parameter: unknown): Promise<void> => {
    note(name, parameter);
    if (isPrevented(name)) return;
    const endpoint = namespace.get(name);
    if (endpoint?.kind !== 'rpc') {
      const warning = `Received rpcCall for unknown endpoint, endpoint = ${name}`;
      sender.warn('rpcEndpointUnknown', warning);
      return;
    }
    try {
      const outcome = endpoint.call(parameter);
      if (!outcome.valid) {
        const warning = `Received invalid parameter for rpcCall, endpointName = ${name}, parameter = ${JSON.stringify(parameter)}. Zod error: ${outcome.problem}`;
        sender.warn('rpcParameterTypeError', warning);
        return;
      }
      const result = await outcome.result;
      if (faults.triggerFor('answer-error', { endpoint: name })) {
        throw new WireError(`Simulated error of ${name}`);
      }
      const wrong = faults.triggerFor('invalid-result', { endpoint: name });
      const answer = wrong ? WRONG_SHAPE : result;
      // LM Studio omits the key `result` where there is no result.
      sender.send({
        type: 'rpcResult',
        callId,
        ...(answer === undefined ? {} : { result: answer }),
      });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      sender.send({ type: 'rpcError', callId, error: error.serialized });
    }
  };

  const openChannel = (name: string, channelId: number, parameter: unknown): void => {
    note(name, parameter);
    if (isPrevented(name)) return;
    const endpoint = namespace.get(name);
    if (endpoint?.kind !== 'channel') {
      const warning = `Received channelCreate for unknown endpoint, endpoint = ${name}`;
      sender.warn('channelEndpointUnknown', warning);
      return;
    }
    channels.open(channelId, name, endpoint, parameter);
  };

  return (frame) => {
    switch (frame.type) {
      case 'rpcCall':
        void callRpc(frame.endpoint, frame.callId, frame.parameter);
        break;
      case 'channelCreate':
        openChannel(frame.endpoint, frame.channelId, frame.creationParameter);
        break;
      case 'channelSend':
        note('channelSend', frame.message);
        channels.receive(frame.channelId, frame.message, frame.ackId ?? null);
        break;
      case 'keepAlive':
        sender.send({ type: 'keepAliveAck' });
        break;
      case 'signalSubscribe':
      case 'writableSignalSubscribe':
        sender.warn(
          'signalEndpointUnknown',
          `Received ${frame.type} for unknown endpoint, endpoint = ${frame.endpoint}`,
        );
        break;
      case 'communicationWarning':
        note('communicationWarning', frame.warning);
        break;
      case 'channelAck':
      case 'signalUnsubscribe':
      case 'writableSignalUnsubscribe':
      case 'writableSignalUpdate':
        break;
    }
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
