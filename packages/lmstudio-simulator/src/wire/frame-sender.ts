import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock.js';
import type { FaultBook } from '../faults.js';

/** The kinds of LM Studio's communication warnings that a server sends. */
export type WarningKind =
  | 'rpcEndpointUnknown'
  | 'rpcParameterTypeError'
  | 'channelEndpointUnknown'
  | 'channelCreationParameterTypeError'
  | 'channelAlreadyOpen'
  | 'channelUnknown'
  | 'signalEndpointUnknown'
  | 'unknown';

/** The sending half of a socket. */
export interface FrameSender {
  /** Sends in order; frames can be made late by a fault. */
  send(frame: object): void;
  /** Sends at once. */
  sendNow(frame: object): void;
  /** What LM Studio sends instead of an answer to what it does not understand. */
  warn(kind: WarningKind, warning: string): void;
}

export function createFrameSender(
  socket: WebSocket,
  clock: SimulatorClock,
  faults: FaultBook,
  onSent: (frame: object) => void,
): FrameSender {
  let heldUntilMs = 0;

  const sendNow = (frame: object): void => {
    if (socket.readyState !== socket.OPEN) return;
    onSent(frame);
    socket.send(JSON.stringify(frame));
  };
  const send = (frame: object): void => {
    const slow = faults.strike('slow-frames');
    const nowMs = clock.now();
    if (slow === null && heldUntilMs <= nowMs) {
      sendNow(frame);
      return;
    }
    // A late frame holds up those behind it: a socket keeps its order.
    heldUntilMs = Math.max(heldUntilMs, nowMs) + (slow?.delayMs ?? 0);
    clock.schedule(() => sendNow(frame), heldUntilMs - nowMs);
  };
  return {
    send,
    sendNow,
    warn: (kind, warning) => send({ type: 'communicationWarning', warning, kind }),
  };
}
