import type { ChannelEndpoint, ServerChannel } from './endpoint.js';
import type { FrameSender } from './frame-sender.js';
import { WireError } from './wire-error.js';

/** The open channels of one socket. */
export interface ChannelTable {
  open(channelId: number, name: string, endpoint: ChannelEndpoint, parameter: unknown): void;
  receive(channelId: number, message: unknown, ackId: number | null): void;
  /** Tells all channels that the connection has ended. */
  disconnect(): void;
}

interface OpenChannel {
  readonly name: string;
  readonly endpoint: ChannelEndpoint;
  message: (message: unknown) => void;
  disconnect: () => void;
}

export function createChannelTable(sender: FrameSender, dropConnection: () => void): ChannelTable {
  const channels = new Map<number, OpenChannel>();

  const serve = (channelId: number, open: OpenChannel): ServerChannel => {
    const isOpen = (): boolean => channels.get(channelId) === open;
    const end = (frame: object): void => {
      if (!isOpen()) return;
      sender.send(frame);
      channels.delete(channelId);
    };
    return {
      send(message) {
        if (isOpen()) sender.send({ type: 'channelSend', channelId, message });
      },
      close: () => end({ type: 'channelClose', channelId }),
      error: (error) => end({ type: 'channelError', channelId, error }),
      dropConnection,
      onMessage(listener) {
        open.message = listener;
      },
      onDisconnect(listener) {
        open.disconnect = listener;
      },
    };
  };

  return {
    open(channelId, name, endpoint, parameter) {
      if (channels.has(channelId)) {
        sender.warn(
          'channelAlreadyOpen',
          `Received channelCreate for already open channel, channelId = ${channelId}`,
        );
        return;
      }
      const open: OpenChannel = { name, endpoint, message: () => {}, disconnect: () => {} };
      channels.set(channelId, open);
      const channel = serve(channelId, open);
      let problem: string | null;
      try {
        problem = endpoint.open(parameter, channel);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        channel.error(error.serialized);
        return;
      }
      if (problem === null) return;
      channels.delete(channelId);
      const warning = `Received invalid creationParameter for channel, endpointName = ${name}, creationParameter = ${JSON.stringify(parameter)}. Zod error: ${problem}`;
      sender.warn('channelCreationParameterTypeError', warning);
    },
    receive(channelId, message, ackId) {
      const open = channels.get(channelId);
      if (!open) {
        const warning = `Received channelSend for unknown channel, channelId = ${channelId}`;
        sender.warn('channelUnknown', warning);
        return;
      }
      const problem = open.endpoint.checkMessage(message);
      if (problem !== null) {
        const warning = `Received invalid message for channel, endpointName = ${open.name}, message = ${JSON.stringify(message)}. Zod error: ${problem}`;
        sender.warn('channelMessageTypeError', warning);
        return;
      }
      if (ackId !== null) sender.send({ type: 'channelAck', channelId, ackId });
      open.message(message);
    },
    disconnect() {
      const open = [...channels.values()];
      channels.clear();
      for (const { disconnect } of open) disconnect();
    },
  };
}
