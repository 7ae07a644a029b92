import fc from 'fast-check';
import { AlarmQueue, type Due } from './alarm-queue.js';

const drain = (queue: AlarmQueue<Due>): Due[] => {
  const taken: Due[] = [];
  for (let next = queue.peek(); next !== null; next = queue.peek()) {
    taken.push(next);
    queue.take();
  }
  return taken;
};

test('alarms are sorted by time and then by order of adding, and cancelled alarms are skipped', () => {
  const times = fc.array(fc.tuple(fc.nat({ max: 20 }), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(times, (added) => {
      const queue = new AlarmQueue<Due>();
      const alarms = added.map(([atMs], order): Due => ({ atMs, order, cancelled: false }));
      for (const alarm of alarms) queue.add(alarm);
      alarms.forEach((alarm, index) => (alarm.cancelled = added[index]?.[1] === true));
      const expected = alarms
        .filter(({ cancelled }) => !cancelled)
        .sort((one, other) => one.atMs - other.atMs || one.order - other.order);
      expect(drain(queue)).toEqual(expected);
      expect(queue.peek()).toBeNull();
    }),
  );
});

test('an alarm that is added after others were taken is sorted by its time', () => {
  const queue = new AlarmQueue<Due>();
  const alarm = (atMs: number, order: number): Due => ({ atMs, order, cancelled: false });
  queue.add(alarm(5, 1));
  queue.add(alarm(9, 2));
  queue.take();
  queue.add(alarm(7, 3));
  queue.add(alarm(9, 4));
  expect(drain(queue).map(({ order }) => order)).toEqual([3, 2, 4]);
  queue.take();
  expect(queue.peek()).toBeNull();
});
