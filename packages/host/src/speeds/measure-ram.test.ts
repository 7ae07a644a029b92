import { measureRamBandwidth } from './measure-ram.js';

jest.setTimeout(60_000);

test('the measured bandwidth of RAM is possible: more than that of an old laptop, less than that of any machine', async () => {
  const bandwidth = await measureRamBandwidth(new AbortController().signal);
  expect(bandwidth).toBeGreaterThan(0.2e9);
  expect(bandwidth).toBeLessThan(2000e9);
});

test('a cancelled measurement ends with the signal’s reason', async () => {
  const controller = new AbortController();
  const measuring = measureRamBandwidth(controller.signal);
  controller.abort(new Error('stop'));
  await expect(measuring).rejects.toThrow('stop');
});
