import type { Clock } from '../../ports/clock.js';
import type { MachineEvent } from '../../ports/control-facts.js';
import type { FleetPort, FleetReport } from '../../ports/fleet-port.js';
import type { Scheduler } from '../../queue/scheduler.js';
import type { Readings } from '../handlers/readings.js';
import type { MachineWatch } from '../watch/machine-watch.js';
import { markOf, type SwitchMark } from '../watch/switches.js';
import { controlEventOf } from './control-event.js';
import type { EventLog } from './event-log.js';

/** Events on their way from the machine and the queue to the log. */
export interface Publishing {
  /** The switches of the last 15 minutes, oldest first. */
  switches(): readonly SwitchMark[];
  /** Ends every subscription and timer. */
  stop(): void;
}

const TELL_MS = 1000;
const SWITCHES_MS = 15 * 60_000;
const SWITCHES_MAX = 200;
/** A load reports its progress much more often than a page can show it. */
const PROGRESS_STEP = 0.01;

/** Publishes what happens on the machine and in the queue. */
export function publishEvents({
  watch,
  readings,
  scheduler,
  fleet,
  clock,
  log,
}: {
  readonly watch: MachineWatch;
  readonly readings: Readings;
  readonly scheduler: Pick<Scheduler, 'state'>;
  readonly fleet: FleetPort | null;
  readonly clock: Clock;
  readonly log: EventLog;
}): Publishing {
  let marks: SwitchMark[] = [];
  let lastDecision = '';
  let lastResidents = '';
  let lastProgress = '';
  let lastQueue = '';
  let lastFleet = '';

  const onEvent = (event: MachineEvent): void => {
    switch (event.type) {
      case 'decided': {
        const { selection, verdict, input } = event;
        const residents = input.residents.map((one) => one.instanceIdentifier).join('\n');
        if (residents !== lastResidents) readings.forget();
        lastResidents = residents;
        const decision = JSON.stringify([
          selection.decision,
          selection.chosen?.modelKey,
          verdict.reason,
          verdict.act,
          // A decision that repeats itself is written once a minute, with its present figures.
          event.id,
        ]);
        if (decision === lastDecision) return;
        lastDecision = decision;
        break;
      }
      case 'switch-step': {
        const { step } = event;
        const at = step.type === 'loading' ? Math.floor(step.progressRatio / PROGRESS_STEP) : '';
        const progress = JSON.stringify([
          step.type,
          'instanceIdentifier' in step && step.instanceIdentifier,
          at,
        ]);
        if (progress === lastProgress) return;
        lastProgress = progress;
        if (step.type === 'loaded' || step.type === 'unloaded') readings.forget();
        break;
      }
      case 'switch-finished':
        marks.push(markOf(event));
        if (marks.length > SWITCHES_MAX) marks.shift();
        readings.forget();
        break;
      case 'journal-changed':
        readings.forget();
        break;
      default:
        break;
    }
    const published = controlEventOf(event);
    if (published !== null) log.publish(published);
  };
  const unsubscribe = watch.onChange((change) => {
    switch (change.type) {
      case 'sample': {
        const { atMs, pools } = change.sample;
        const sample = {
          atMs,
          pools: pools.map((pool) => ({ ...pool, residents: [...pool.residents] })),
        };
        log.publish({ type: 'sample', atMs, sample });
        break;
      }
      case 'event':
        onEvent(change.event);
        break;
      case 'lost':
        readings.forget();
        log.publish({ type: 'notice', atMs: clock.nowMs(), code: 'lost', text: change.message });
        break;
    }
  });

  const tellQueue = (): void => {
    const { lanes, waiting, loading } = scheduler.state();
    const running = lanes.reduce((sum, lane) => sum + lane.running, 0);
    const queue = JSON.stringify([running, waiting, loading]);
    if (queue !== lastQueue) {
      lastQueue = queue;
      log.publish({ type: 'queue', atMs: clock.nowMs(), running, waiting, loading });
    }
  };
  const tellFleet = (): void => {
    if (fleet === null) return;
    const seen = fleetKeyOf(fleet.report());
    if (seen !== lastFleet) log.publish({ type: 'fleet', atMs: clock.nowMs() });
    lastFleet = seen;
  };
  const tell = (): void => {
    tellQueue();
    tellFleet();
    cancel = clock.setTimer(TELL_MS, tell);
  };
  let cancel = clock.setTimer(TELL_MS, tell);

  return {
    switches: () => {
      const sinceMs = clock.nowMs() - SWITCHES_MS;
      marks = marks.filter(({ atMs }) => atMs >= sinceMs);
      return marks;
    },
    stop: () => {
      unsubscribe();
      cancel();
    },
  };
}

/** A text that differs where the shown fleet differs. It has the revision of a state, because a whole state is long. */
function fleetKeyOf({ connected, hosts, placements }: FleetReport): string {
  return JSON.stringify([
    connected,
    placements[0]?.id,
    hosts.map(({ condition, state, heartbeat }) => [
      state.host,
      state.epoch,
      state.revision,
      condition,
      heartbeat?.running,
      heartbeat?.queued,
      heartbeat?.pressureRatio,
      heartbeat?.residents,
    ]),
  ]);
}
