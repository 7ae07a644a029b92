import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';
import type { LMStudioClient } from '../src/index.js';

/** A runtime with at least one LLM and one embedding model downloaded, and nothing loaded. */
export interface ContractWorld extends AsyncDisposable {
  connect(): Promise<LMStudioClient>;
  readonly llmKey: string;
  readonly embeddingKey: string;
}

const config = (part: Partial<LoadConfig>): LoadConfig => ({ ...DEFAULT_LOAD_CONFIG, ...part });

type Run = (client: LMStudioClient, world: ContractWorld) => Promise<void>;

async function inWorld(open: () => Promise<ContractWorld>, run: Run): Promise<void> {
  await using world = await open();
  await using client = await world.connect();
  await run(client, world);
}

/** The behaviour that a host needs from every runtime: LM Studio, simulated or real, and the embedded engine. */
export function runtimeContract(name: string, open: () => Promise<ContractWorld>): void {
  describe(name, () => {
    const withClient = (run: Run): Promise<void> => inWorld(open, run);

    test('reports its version', () =>
      withClient(async (client) => {
        expect(client.connectedVersion.version).toMatch(/^\d+\.\d+/);
        expect(await client.version()).toEqual(client.connectedVersion);
      }));

    test('lists downloaded models of both kinds, with sizes and limits', () =>
      withClient(async (client, { llmKey, embeddingKey }) => {
        const { models } = await client.listDownloaded();
        const llm = models.find(({ modelKey }) => modelKey === llmKey);
        expect(llm).toMatchObject({ kind: 'llm', format: 'gguf' });
        expect(llm?.sizeBytes).toBeGreaterThan(1e6);
        expect(llm?.maxContextLengthTokens).toBeGreaterThan(1000);
        expect(models.find(({ modelKey }) => modelKey === embeddingKey)?.kind).toBe('embedding');
      }));

    test('loads a model as requested, lists it with its configuration, and unloads it', () =>
      withClient(async (client, { llmKey }) => {
        expect(await client.listResidents()).toEqual([]);
        const ratios: number[] = [];
        const { instance, verified, reused } = await client.load({
          modelKey: llmKey,
          identifier: 'contract',
          loadConfig: config({
            contextLengthTokens: 2048,
            parallelSequences: 2,
            kvCacheTypeK: 'q8_0',
            kvCacheTypeV: 'q8_0',
            flashAttention: true,
          }),
          ttlMs: 600_000,
          keepModelInMemory: false,
          onProgress: (ratio) => ratios.push(ratio),
        });
        expect(verified).toEqual([]);
        expect(reused).toBe(false);
        expect(ratios).toEqual([...ratios].sort((a, b) => a - b));
        expect(instance).toMatchObject({
          instanceIdentifier: 'contract',
          modelKey: llmKey,
          contextLengthTokens: 2048,
          ttlMs: 600_000,
          activity: 'idle',
          keepModelInMemory: false,
          loadConfig: {
            contextLengthTokens: 2048,
            parallelSequences: 2,
            kvCacheTypeK: 'q8_0',
            kvCacheTypeV: 'q8_0',
            flashAttention: true,
          },
        });
        expect(await client.listResidents()).toEqual([instance]);
        await client.unload('contract');
        expect(await client.listResidents()).toEqual([]);
      }));

    test('lists embedding models beside LLMs', () =>
      withClient(async (client, { llmKey, embeddingKey }) => {
        await client.load({ modelKey: llmKey });
        await client.load({ modelKey: embeddingKey });
        const kinds = (await client.listResidents()).map(({ kind }) => kind).sort();
        expect(kinds).toEqual(['embedding', 'llm']);
        await client.unload(embeddingKey);
        await client.unload(llmKey);
      }));

    test('estimates memory and gives the verdict of the guardrails', () =>
      withClient(async (client, { llmKey }) => {
        const small = await client.estimate(llmKey, config({ contextLengthTokens: 1024 }));
        const large = await client.estimate(llmKey, config({ contextLengthTokens: 8192 }));
        expect(small?.passesGuardrails).toBe(true);
        expect(large?.contextBytes).toBeGreaterThan(small?.contextBytes ?? Infinity);
      }));

    test('surveys memory totals and names the engines', () =>
      withClient(async (client) => {
        expect((await client.surveyHardware())?.ramBytes).toBeGreaterThan(2 ** 30);
        expect((await client.selectedEngines())?.map(({ format }) => format)).toContain('gguf');
      }));

    test('generates a short text and warms up both kinds', () =>
      withClient(async (client, { llmKey, embeddingKey }) => {
        await client.load({ modelKey: llmKey });
        await client.load({ modelKey: embeddingKey });
        const generation = await client.generate({
          instanceIdentifier: llmKey,
          prompt: 'hi',
          maxTokens: 3,
        });
        expect(generation).toMatchObject({
          stopReason: 'maxPredictedTokensReached',
          predictedTokens: 3,
        });
        expect(generation.text).not.toBe('');
        const warm = await client.warmUp(llmKey, { promptTokens: 512 });
        expect(warm.promptTokens).toBeGreaterThanOrEqual(256);
        expect(await client.warmUp(embeddingKey)).toEqual({
          promptTokens: null,
          timeToFirstTokenMs: null,
        });
        await client.unload(llmKey);
        await client.unload(embeddingKey);
      }));

    test('suggests similar keys for a key that is not downloaded', () =>
      withClient(async (client, { llmKey }) => {
        const typo = `${llmKey.slice(0, -1)}x`;
        expect((await client.findModel(typo)).suggestions).toContain(llmKey);
        await expect(client.modelInfo(typo)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
        await expect(client.load({ modelKey: typo })).rejects.toMatchObject({
          code: 'MODEL_NOT_FOUND',
          suggestions: expect.arrayContaining([llmKey]),
        });
        await expect(client.unload('nobody')).rejects.toMatchObject({
          code: 'INSTANCE_NOT_FOUND',
        });
        await expect(
          client.generate({ instanceIdentifier: 'nobody', prompt: 'hi' }),
        ).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
        expect(await client.listResidents()).toEqual([]);
      }));

    test('reuses a resident that matches the request, and makes no second copy without an identifier', () =>
      withClient(async (client, { llmKey }) => {
        const loadConfig = config({ contextLengthTokens: 2048 });
        await client.load({ modelKey: llmKey, loadConfig });
        expect((await client.load({ modelKey: llmKey, loadConfig })).reused).toBe(true);
        expect((await client.load({ modelKey: llmKey })).reused).toBe(true);
        await expect(
          client.load({ modelKey: llmKey, loadConfig: config({ contextLengthTokens: 4096 }) }),
        ).rejects.toMatchObject({ code: 'LOAD_REFUSED', instanceIdentifier: llmKey });
        expect(await client.listResidents()).toHaveLength(1);
        const copy = await client.load({ modelKey: llmKey, identifier: 'copy' });
        expect(copy.reused).toBe(false);
        expect(await client.listResidents()).toHaveLength(2);
        await client.unload('copy');
        await client.unload(llmKey);
      }));

    test('a cancelled load leaves nothing resident', () =>
      withClient(async (client, { llmKey }) => {
        const cancel = new AbortController();
        const reason = new Error('enough');
        const load = client.load({
          modelKey: llmKey,
          signal: cancel.signal,
          onProgress: () => cancel.abort(reason),
        });
        await expect(load).rejects.toBe(reason);
        expect(await client.listResidents()).toEqual([]);
      }));
  });
}

/**
 * The settings as LM Studio reports them: layers on the GPU as requested, also where the machine has no GPU, and no
 * such setting for embedding models. The embedded engine reports the layers that it has on the GPU, for both kinds.
 */
export function lmStudioContract(name: string, open: () => Promise<ContractWorld>): void {
  describe(name, () => {
    const withClient = (run: Run): Promise<void> => inWorld(open, run);

    test('loads with the requested share of layers on the GPU', () =>
      withClient(async (client, { llmKey }) => {
        const { instance, verified } = await client.load({
          modelKey: llmKey,
          loadConfig: config({ offloadRatio: 0.5 }),
        });
        expect(verified).toEqual([]);
        expect(instance.loadConfig.offloadRatio).toBe(0.5);
        await client.unload(llmKey);
      }));

    test('reports the settings that an embedding model does not have', () =>
      withClient(async (client, { embeddingKey }) => {
        const { verified } = await client.load({
          modelKey: embeddingKey,
          loadConfig: config({ contextLengthTokens: 512, offloadRatio: 0.5 }),
        });
        expect(verified).toEqual([{ field: 'offloadRatio', asked: 0.5, got: null }]);
        await client.unload(embeddingKey);
      }));
  });
}
