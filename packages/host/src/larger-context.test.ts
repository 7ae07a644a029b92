import {
  GIB,
  LARGE,
  openAutopilotWorld,
  SMALL,
  type AutopilotWorld,
} from '../test/autopilot-world.js';
import { asServed } from './selection/as-served.js';
import { openHost } from './open-host.js';

let world: AutopilotWorld;
beforeEach(async () => {
  world = await openAutopilotWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const loadsOf = (modelKey: string): number =>
  world.simulator.requests.filter(
    ({ endpoint, parameter }) =>
      endpoint === 'loadModel' && JSON.stringify(parameter).includes(`"${modelKey}"`),
  ).length;

describe('where LM Studio always gives a longer context than asked', () => {
  beforeEach(() => void world.simulator.fault.enlargeContext({ toTokens: 8192 }));

  test('each further `select --load` keeps the model', async () => {
    await using host = await openHost(world.options);
    for (let round = 0; round < 3; round += 1) await host.switchModel();
    expect(loadsOf(LARGE)).toBe(1);
    expect(world.residents()).toEqual([`mai/${LARGE}`]);
  });

  test('each further `select --load` keeps the model, also where a pool is above its limit', async () => {
    await using host = await openHost(world.options);
    await host.switchModel();
    world.machine.othersBytes = 19 * 1024 ** 3;
    for (let round = 0; round < 3; round += 1) await host.switchModel();
    expect(loadsOf(LARGE)).toBe(1);
  });

  test.each([[[LARGE]], [[LARGE, SMALL]]])(
    'is not loaded again and again where it takes the pool above its limit: %j',
    async (chain) => {
      // 4096 tokens would fit, but LM Studio gives 65,536 to each load.
      await using wide = await openAutopilotWorld({ fallback_chains: { default: chain } }, 65_536);
      wide.simulator.fault.enlargeContext({ toTokens: 65_536 });
      await using host = await openHost(wide.options);
      await host.switchModel();
      wide.machine.othersBytes = 10 * GIB;
      const loads = () =>
        wide.simulator.requests.filter(({ endpoint }) => endpoint === 'loadModel').length;
      const { selection } = await host.select();
      const [ram] = selection.pools;
      expect(ram?.useBeforeBytes).toBeGreaterThan(ram?.limitBytes ?? Infinity);
      // A cheaper KV cache may be loaded once.
      for (let round = 0; round < 2; round += 1) await host.switchModel();
      const before = loads();
      expect(before).toBeLessThanOrEqual(2);
      // Each process has a host of its own.
      await using later = await openHost(wide.options);
      for (let round = 0; round < 3; round += 1) await later.switchModel();
      expect(loads()).toBe(before);
    },
  );

  test('two loads by hand in a row use the same copy, and the difference is reported once', async () => {
    await using host = await openHost(world.options);
    const first = await host.load({ models: [LARGE] });
    expect(first.verified).toMatchObject([{ field: 'contextLengthTokens', got: 8192 }]);
    const second = await host.load({ models: [LARGE] });
    expect(second).toMatchObject({ reused: true, verified: [] });
    expect(loadsOf(LARGE)).toBe(1);
  });

  test('the list of models, the selection and the load show the same context and memory', async () => {
    await using host = await openHost(world.options);
    const { instance } = await host.load({ models: [LARGE] });
    expect(instance.contextLengthTokens).toBe(8192);
    const selected = await host.select();
    const { chosen } = asServed(selected.selection, selected.input);
    expect(chosen?.loadOption.loadConfig.contextLengthTokens).toBe(8192);
    const { models } = await host.models();
    const listed = models.find(({ profile }) => profile.modelKey === LARGE);
    expect(listed?.profile.contextLengthTokens).toBe(8192);
    expect(listed?.footprint).toEqual(chosen?.loadOption.footprint);
    // The verdict at another context stays about that context.
    const asked = await host.models({ contextLengthTokens: 4096 });
    const other = asked.models.find(({ profile }) => profile.modelKey === LARGE);
    expect(other?.profile.contextLengthTokens).toBe(4096);
  });

  test('after a load by hand, the next load is planned with the context that LM Studio gave', async () => {
    await using host = await openHost(world.options);
    await host.load({ models: [LARGE] });
    await host.unload({ target: LARGE });
    await using later = await openHost(world.options);
    const { selection } = await later.select();
    const [option] = (await later.models()).models.filter(
      ({ profile }) => profile.modelKey === LARGE,
    );
    const atAsked = await later.estimate({ model: LARGE, settings: { contextLengthTokens: 8192 } });
    expect(selection.chosen?.modelKey).toBe(LARGE);
    expect(option?.footprint?.interval).toEqual(atAsked.fit?.footprint?.interval);
  });
});

test('a load by hand and a selection use a copy that the user has loaded with more context', async () => {
  await using host = await openHost(world.options);
  await host.load({ models: [LARGE], identifier: LARGE, changes: { contextLengthTokens: 8192 } });
  const loaded = await host.load({ models: [LARGE] });
  expect(loaded).toMatchObject({ reused: true, instance: { instanceIdentifier: LARGE } });
  await host.switchModel();
  expect(world.residents()).toEqual([LARGE]);
  expect(loadsOf(LARGE)).toBe(1);
});
