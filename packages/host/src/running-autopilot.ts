import type { AutopilotEvent, AutopilotState } from '@mai/autopilot';
import type { AutopilotSession } from './autopilot/open-autopilot.js';

/** An autopilot that runs in this process. Disposing stops it. */
export interface RunningAutopilot extends AsyncDisposable {
  /** Address of its LM Studio: `ws://host:port`. */
  readonly address: string;
  /** Version of its LM Studio when it was connected. */
  readonly version: string;
  /** The file with its decisions. */
  readonly decisionLog: string;
  readonly state: AutopilotState;
  /** From the start on for the first reader, from now on for others; ends with the stop. */
  readonly events: AsyncIterable<AutopilotEvent>;
  /** Why it stopped by itself: another process has taken its place. Null where it has not. */
  readonly lostTo: Error | null;
  /** Stops it. May be called more than once. */
  stop(): Promise<void>;
}

/** Starts the autopilot of a session. @throws AutopilotError `ALREADY_RUNNING` */
export async function runAutopilot(session: AutopilotSession): Promise<RunningAutopilot> {
  const { autopilot, client, files } = session;
  const fromStart = autopilot.events[Symbol.asyncIterator]();
  let isRead = false;
  try {
    await session.start();
  } catch (error) {
    await session.stop();
    throw error;
  }
  return {
    address: client.baseUrl,
    version: client.connectedVersion.version,
    decisionLog: files.decisionLog,
    get state() {
      return autopilot.state;
    },
    events: {
      [Symbol.asyncIterator]: () => {
        if (isRead) return autopilot.events[Symbol.asyncIterator]();
        isRead = true;
        return fromStart;
      },
    },
    get lostTo() {
      return session.lostTo();
    },
    stop: () => session.stop(),
    [Symbol.asyncDispose]: () => session.stop(),
  };
}
