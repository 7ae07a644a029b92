import type { AutopilotEvent, AutopilotState } from '@mai/autopilot';
import type { RuntimeName } from '../runtime/runtime-client.js';
import type { AutopilotSession } from './open-autopilot.js';

/** An autopilot that runs in this process. Disposing of it stops the autopilot. */
export interface RunningAutopilot extends AsyncDisposable {
  readonly runtime: RuntimeName;
  /** Address of its LM Studio: `ws://host:port`; `embedded` for the embedded engine. */
  readonly address: string;
  /** Version of the runtime at the time of connecting. */
  readonly version: string;
  /** Path of the decision log. */
  readonly decisionLog: string;
  readonly state: AutopilotState;
  /** The events until the stop. The first reader also gets the events since the start; later readers do not. */
  readonly events: AsyncIterable<AutopilotEvent>;
  /** Set when another process has taken the lock, which stops this autopilot; otherwise null. */
  readonly lostTo: Error | null;
  /** Stops the autopilot. May be called more than once. */
  stop(): Promise<void>;
}

/** Starts the autopilot of a session. @throws AutopilotError `ALREADY_RUNNING` */
export async function runAutopilot(session: AutopilotSession): Promise<RunningAutopilot> {
  const { autopilot, link, files } = session;
  const fromStart = autopilot.events[Symbol.asyncIterator]();
  let isRead = false;
  try {
    await session.start();
  } catch (error) {
    await session.stop();
    throw error;
  }
  return {
    runtime: link.runtime,
    address: files.address,
    version: link.client.connectedVersion.version,
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
