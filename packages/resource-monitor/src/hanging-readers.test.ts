import { assembleMachine } from '../test/assemble-machine.js';
import { amdCard } from '../test/machines/linux-gpus.js';
import { virtualMachine } from '../test/machines/linux.js';

const BATTERY = '/sys/class/power_supply/BAT0';

describe('a file whose driver hangs', () => {
  it('of a battery delays one sample until the deadline, and changes no other figure', async () => {
    const { monitor, clock, files } = assembleMachine({
      ...virtualMachine,
      files: {
        ...virtualMachine.files,
        [`${BATTERY}/type`]: 'Battery',
        [`${BATTERY}/status`]: 'Discharging',
        [`${BATTERY}/capacity`]: '50',
      },
    });
    files.stuck.add(`${BATTERY}/capacity`);
    const first = monitor.snapshot();
    await clock.advance(5000);
    const { ram, power, sources } = await first;
    expect(ram.availableBytes).not.toBeNull();
    expect(power).toEqual({ onBattery: null, chargeRatio: null });
    expect(sources.find(({ figure }) => figure === 'power')?.passedOver).toEqual([
      { source: '/sys/class/power_supply', reason: 'no answer within 5 s', cause: null },
    ]);
    // The second snapshot does not wait for the battery.
    expect((await monitor.snapshot()).power.onBattery).toBeNull();
    await monitor[Symbol.asyncDispose]();
  });

  it('of a card is read once, although the cards are listed several times', async () => {
    const { monitor, clock, files } = assembleMachine(amdCard);
    const folder = Object.keys(amdCard.files ?? {}).find((name) => name.endsWith('vram_used'));
    const used = folder ?? '';
    files.stuck.add(used);
    let asked = 0;
    const { keep } = files;
    files.keep = (path) => {
      if (path === used) asked += 1;
      return keep(path);
    };
    for (let round = 0; round < 5; round += 1) {
      const sample = monitor.snapshot();
      await clock.advance(250);
      expect((await sample).gpus[0]?.availableBytes).toBeNull();
      await clock.advance(31_000);
    }
    expect(asked).toBe(1);
    await monitor[Symbol.asyncDispose]();
  });
});
