import {
  GIB,
  LARGE,
  openWorld,
  SMALL,
  VISION,
  type GatewayWorld,
} from '../test/worlds/open-world.js';
import { isWhole, talk, type Ending } from '../test/talk.js';
import { systemClock } from './ports/clock.js';

jest.setTimeout(110_000);

const CHAT = '/v1/chat/completions';
const ASK = { model: 'auto', messages: [{ role: 'user' as const, content: 'Hello' }] };
/** The vision model cannot call tools here. */
const TOOLS = [{ type: 'function', function: { name: 'get_weather', parameters: {} } }];
/**
 * While other programs use these bytes, only the small model fits. With the large one (10.3 GiB), memory is above the hard limit
 * (29.4 GiB), but has not run out (31.4 GiB). Where it has run out, a busy model is unloaded after a second, and its streams break.
 */
const SCARCE_BYTES = 21 * GIB;

/** More open requests than wait during a load at 50 a second. A slow machine gets no more, or it would only fall behind further. */
const OPEN_MAX = 200;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Keys of the models that the host has asked LM Studio to load. */
function loadsOf(world: GatewayWorld): string[] {
  return world.simulator.requests
    .filter(({ endpoint }) => endpoint === 'loadModel')
    .map(({ parameter }) => (parameter as { modelKey: string }).modelKey);
}

describe('memory that another program takes and gives back', () => {
  it('fails none of 50 requests a second, and a model that meets the conditions answers each', async () => {
    await using world = await openWorld({}, { speed: 20 });
    expect(isWhole(await talk(world.url, CHAT, ASK).end)).toBe(true);
    const sent: Promise<readonly [Ending, boolean]>[] = [];
    let open = 0;
    let nextMs = performance.now();
    /** Sends requests, every other one with tools, until a condition holds. */
    const sendUntil = async (isTrue: () => boolean): Promise<void> => {
      for (let extra = 0; extra < 25; extra += isTrue() ? 1 : 0) {
        const withTools = sent.length % 2 === 0;
        const body = { ...ASK, stream: sent.length % 3 === 0, ...(withTools && { tools: TOOLS }) };
        open += 1;
        sent.push(
          talk(world.url, CHAT, body).end.then((ending) => {
            open -= 1;
            return [ending, withTools] as const;
          }),
        );
        nextMs += 20;
        await pause(Math.max(1, nextMs - performance.now()));
        while (open >= OPEN_MAX) await pause(20);
      }
    };
    await sendUntil(() => true);
    world.machine.othersBytes = SCARCE_BYTES;
    await sendUntil(() => !world.residents().includes(LARGE) && world.residents().length > 0);
    world.machine.othersBytes = 6 * GIB;
    await sendUntil(() => world.residents().includes(LARGE));
    const endings = await Promise.all(sent);
    expect(endings.filter(([ending]) => !isWhole(ending))).toEqual([]);
    const served = endings.map(
      ([ending, withTools]) =>
        `${withTools ? 'tools' : 'text'} by ${String(ending.headers['x-mai-model'])}`,
    );
    expect(new Set(served)).not.toContain(`tools by ${VISION}`);
    expect(new Set(served)).toContain(`tools by ${LARGE}`);
    expect(new Set(served)).toContain(`tools by ${SMALL}`);
  });
});

describe('two clients that alternate between models that do not fit together', () => {
  it.each([
    [LARGE, VISION],
    [VISION, LARGE],
  ])(
    'cause at most a third of the switches that order of arrival would cause (%s first)',
    async (first, then) => {
      await using world = await openWorld({}, { speed: 20 });
      world.machine.othersBytes = 12 * GIB;
      const rounds = 15;
      const ask = async (model: string): Promise<void> => {
        for (let round = 0; round < rounds; round += 1) {
          const ending = await talk(world.url, CHAT, { ...ASK, model }).end;
          expect(isWhole(ending)).toBe(true);
          expect(ending.headers['x-mai-model']).toBe(model);
        }
      };
      const asked = ask(first);
      await world.simulator.seen('loadModel');
      await Promise.all([asked, ask(then)]);
      // In order of arrival, each request would need a load.
      expect(loadsOf(world).length).toBeLessThanOrEqual((2 * rounds) / 3);
      expect(loadsOf(world).length).toBeGreaterThanOrEqual(2);
    },
  );
});

describe('a clock that jumps', () => {
  it.each([
    ['forwards', 3_600_000],
    ['backwards', -3_600_000],
  ])('%s by an hour disturbs no request', async (_where, jumpMs) => {
    let offsetMs = 0;
    const clock = { ...systemClock, nowMs: () => Date.now() + offsetMs };
    await using world = await openWorld({ clock }, { speed: 10 });
    const waiting = talk(world.url, CHAT, ASK);
    await world.simulator.seen('loadModel');
    offsetMs = jumpMs;
    const late = talk(world.url, CHAT, { ...ASK, stream: true });
    expect(isWhole(await waiting.end)).toBe(true);
    expect(isWhole(await late.end)).toBe(true);
    expect(loadsOf(world)).toEqual([LARGE]);
  });
});
