import { LARGE, openEmbeddedWorld } from '../test/worlds/open-embedded-world.js';

jest.setTimeout(120_000);

test('the gateway’s traffic alone teaches the model within ten requests', async () => {
  await using world = await openEmbeddedWorld();
  const speedOf = async () => {
    const { models } = await world.host.models();
    const speed = models.find(({ profile }) => profile.modelKey === LARGE)?.speed;
    if (speed == null) throw new Error('The speed of the model is not known.');
    return speed;
  };
  const before = await speedOf();
  expect(before.measured).toBe(false);
  const measured: number[] = [];
  for (let request = 0; request < 10; request += 1) {
    const response = await fetch(`${world.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: LARGE,
        messages: [
          { role: 'user', content: `${request} ${'words of a longer prompt '.repeat(3)}` },
        ],
        max_tokens: 24,
      }),
    });
    const { timings } = (await response.json()) as {
      timings: { predicted_n: number; predicted_ms: number };
    };
    // The time is that of the tokens after the first one.
    measured.push(((timings.predicted_n - 1) / timings.predicted_ms) * 1000);
  }
  let after = before;
  // The measurements are stored after the answers.
  for (let poll = 0; poll < 200 && !after.measured; poll += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    after = await speedOf();
  }
  expect(after.measured).toBe(true);
  const median = measured.sort((a, b) => a - b)[5] ?? 0;
  const errorOf = (speed: typeof after) =>
    Math.abs(Math.log(speed.decodeTokensPerSecond.expected / median));
  expect(errorOf(after)).toBeLessThan(0.5);
  const widthOf = ({ decodeTokensPerSecond: { low, high } }: typeof after) => high / low;
  expect(widthOf(after)).toBeLessThan(widthOf(before));
});
