import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock/clock.js';
import type { ActiveFaults } from '../faults/active-faults.js';

/** The kinds of LM Studio's communication warnings that a server sends. */
export type WarningKind =
  | 'rpcEndpointUnknown'
  | 'rpcParameterTypeError'
  | 'channelEndpointUnknown'
  | 'channelCreationParameterTypeError'
  | 'channelAlreadyOpen'
  | 'channelUnknown'
  | 'channelMessageTypeError'
  | 'signalEndpointUnknown'
  | 'unknown';

/** The sending half of a socket. */
export interface FrameSender {
  /** Sends frames in order. The fault slow-frames delays them. */
  send(frame: object): void;
  /** Sends a frame at once, before delayed frames. */
  sendNow(frame: object): void;
  /** Sends a communication warning, LM Studio's reply to a frame that it does not understand. */
  warn(kind: WarningKind, warning: string): void;
}

// The most warnings that LM Studio sends on one socket.
const MOST_WARNINGS = 5;

export function createFrameSender(
  socket: WebSocket,
  clock: SimulatorClock,
  faults: ActiveFaults,
  onSent: (frame: object) => void,
): FrameSender {
  let heldUntilMs = 0;
  let warnings = 0;

  const sendNow = (frame: object): void => {
    if (socket.readyState !== socket.OPEN) return;
    onSent(frame);
    socket.send(JSON.stringify(frame));
  };
  const send = (frame: object): void => {
    const slow = faults.trigger('slow-frames');
    const nowMs = clock.now();
    if (slow === null && heldUntilMs <= nowMs) {
      sendNow(frame);
      return;
    }
    // A delayed frame delays all later frames, because a socket keeps the order.
    heldUntilMs = Math.max(heldUntilMs, nowMs) + (slow?.delayMs ?? 0);
    clock.schedule(() => sendNow(frame), heldUntilMs - nowMs);
  };
  return {
    send,
    sendNow,
    warn(kind, warning) {
      if (warnings++ < MOST_WARNINGS) send({ type: 'communicationWarning', warning, kind });
    },
  };
}
