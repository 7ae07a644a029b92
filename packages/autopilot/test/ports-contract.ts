import type { AutopilotPorts } from '../src/ports/autopilot-ports.js';

/** The machine and runtime behind the ports, with one small loadable model in the default chain. */
export interface ContractWorld {
  readonly ports: AutopilotPorts;
  readonly modelKey: string;
  close(): Promise<void>;
}

/**
 * Tests the rules that the autopilot's ports must keep. This package runs them on its fakes; the package that
 * joins the real ports runs them on the real ports.
 */
export function describePortsContract(name: string, open: () => Promise<ContractWorld>): void {
  describe(`the ports of ${name}`, () => {
    let world: ContractWorld;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.close());

    const configOf = async () => {
      const { chain } = await world.ports.catalog.read({ chain: null });
      const profile = chain.find((one) => one.modelKey === world.modelKey);
      if (profile === undefined) throw new Error(`${world.modelKey} is not in the chain.`);
      return { ...profile.loadConfig, contextLengthTokens: 4096 };
    };
    const load = async (signal?: AbortSignal, onProgress = (_ratio: number): void => undefined) =>
      world.ports.runtime.load({
        ...(signal === undefined ? {} : { signal }),
        modelKey: world.modelKey,
        loadConfig: await configOf(),
        identifier: 'mai/contract',
        ttlMs: null,
        deviceIdentifier: null,
        onProgress,
      });

    it('loads under the requested identifier, reports progress that never falls, and unloads', async () => {
      const progress: number[] = [];
      const { instance, verified } = await load(undefined, (ratio) => progress.push(ratio));
      expect(instance).toMatchObject({
        instanceIdentifier: 'mai/contract',
        modelKey: world.modelKey,
        contextLengthTokens: 4096,
      });
      expect(verified).toEqual([]);
      expect(progress).toEqual([...progress].sort((one, other) => one - other));
      expect(progress.every((ratio) => ratio >= 0 && ratio <= 1)).toBe(true);
      const [resident] = await world.ports.runtime.listResidents({});
      expect(resident).toMatchObject({ instanceIdentifier: 'mai/contract', activity: 'idle' });
      await world.ports.runtime.unload('mai/contract', {});
      expect(await world.ports.runtime.listResidents({})).toEqual([]);
    });

    it("rejects a cancelled load with the signal's reason, and leaves nothing resident", async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const loading = load(controller.signal, () => {
        controller.abort(reason);
      });
      await expect(loading).rejects.toBe(reason);
      expect(await world.ports.runtime.listResidents({})).toEqual([]);
    });

    it('rejects with INSTANCE_NOT_FOUND for an instance that is not resident', async () => {
      await expect(world.ports.runtime.unload('mai/nowhere', {})).rejects.toMatchObject({
        code: 'INSTANCE_NOT_FOUND',
      });
    });

    it('gives a footprint that does not grow when the context shrinks', async () => {
      const { estimator, monitor } = world.ports;
      const resources = await monitor.snapshot({});
      const loadConfig = await configOf();
      const sizes = await Promise.all(
        [8192, 4096, 2048].map(async (contextLengthTokens) => {
          const { footprint } = await estimator.estimate(
            {
              modelKey: world.modelKey,
              loadConfig: { ...loadConfig, contextLengthTokens },
              resources,
              deviceIdentifier: null,
            },
            {},
          );
          if (footprint === null) throw new Error('No footprint.');
          const { mappedBytes, anonymousBytes } = footprint.ram;
          return footprint.gpus.reduce((sum, gpu) => sum + gpu.bytes, mappedBytes + anonymousBytes);
        }),
      );
      expect(sizes).toEqual([...sizes].sort((one, other) => other - one));
      expect(sizes.every((bytes) => bytes > 0)).toBe(true);
    });

    it('gives footprints that name only GPUs of the machine', async () => {
      const resources = await world.ports.monitor.snapshot({});
      const { footprint } = await world.ports.estimator.estimate(
        {
          modelKey: world.modelKey,
          loadConfig: await configOf(),
          resources,
          deviceIdentifier: null,
        },
        {},
      );
      const known = resources.gpus.map((gpu) => gpu.deviceKey);
      for (const { deviceKey } of footprint?.gpus ?? []) expect(known).toContain(deviceKey);
    });

    it('reads possible figures from the monitor', async () => {
      const { ram, observable } = await world.ports.monitor.snapshot({});
      expect(observable).toBe(true);
      expect(ram.totalBytes).toBeGreaterThan(0);
      expect(ram.availableBytes).toBeGreaterThanOrEqual(0);
      expect(ram.availableBytes).toBeLessThanOrEqual(ram.totalBytes);
    });

    it('has a clock that never goes back, and that ends a cancelled sleep at once', async () => {
      const { clock } = world.ports;
      const before = clock.monotonicMs();
      const controller = new AbortController();
      const sleeping = clock.sleep(3_600_000, { signal: controller.signal });
      const reason = new Error('wake up');
      controller.abort(reason);
      await expect(sleeping).rejects.toBe(reason);
      await expect(clock.sleep(1, { signal: controller.signal })).rejects.toBe(reason);
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before);
    });
  });
}
