import { corpusHeader } from '../../test/corpus.js';
import { estimateReport } from '../estimate/estimate-report.js';
import { resolveEngineProfile, type EngineQuestion } from '../profile/resolve-profile.js';
import { NO_SETTINGS, type EstimateSettings } from '../settings/estimate-settings.js';

const MIB = 1024 ** 2;
/** Keys and values of one token: 48 layers, 4 heads of 128 numbers of 2 bytes. */
const TOKEN_BYTES = 48 * 2 * 4 * 128 * 2;

async function reportOf(
  header: 'qwen3-30b-a3b-q4km' | 'gpt-oss-20b-mxfp4',
  engine: EngineQuestion,
  settings: Partial<EstimateSettings>,
) {
  return estimateReport(
    await corpusHeader(header),
    { ...NO_SETTINGS, gpuBackend: 'cuda', parallelSequences: 1, ...settings },
    null,
    { profile: resolveEngineProfile(engine) },
  );
}

const llamaServer = (runtimeVersion: string) => ({ engine: 'llama.cpp', runtimeVersion }) as const;
const lmStudio = (runtimeVersion: string) =>
  ({ engine: 'lmstudio', runtimeVersion, backend: 'cuda' }) as const;

describe('the cells of a cache for 70,000 tokens', () => {
  test.each([
    // ggml-org/llama.cpp #15009 of August 2025 prints 6564.00 MiB for 70,016 cells.
    ['llama-server of August 2025', llamaServer('b6100'), false, 70_016, 70_016],
    ['llama-server of August 2025', llamaServer('b6100'), true, 70_144, 70_144],
    ['a build around the change', llamaServer('b6900'), false, 70_000, 70_144],
    ['a newer llama-server', llamaServer('b9849'), false, 70_144, 70_144],
    ['runtime 1.44.0', lmStudio('1.44.0'), null, 70_016, 70_016],
    ['runtime 1.52.1', lmStudio('1.52.1'), false, 70_000, 70_144],
    ['runtime 2.28.2', lmStudio('2.28.2'), false, 70_144, 70_144],
  ] as const)('%s (%j), flash attention %s: %d to %d', async (_, engine, attention, low, high) => {
    const { partIntervals, exactParts } = await reportOf('qwen3-30b-a3b-q4km', engine, {
      contextLengthTokens: 70_000,
      flashAttention: attention,
    });
    expect(partIntervals.kvCacheBytes).toEqual({
      lowBytes: low * TOKEN_BYTES,
      highBytes: high * TOKEN_BYTES,
    });
    expect(exactParts.includes('kvCache')).toBe(low === high);
  });

  test('take the size of the log', () => {
    expect((70_016 * TOKEN_BYTES) / MIB).toBe(6564);
  });
});

test('a context of whole multiples of 256 has as many cells with every padding', async () => {
  const settings = { contextLengthTokens: 69_888, flashAttention: true };
  const { exactParts, profile } = await reportOf(
    'qwen3-30b-a3b-q4km',
    lmStudio('1.52.1'),
    settings,
  );
  expect(exactParts).toContain('kvCache');
  expect(profile.settings.map(({ setting }) => setting)).not.toContain('cellPadding');
});

test('the cells of a windowed cache are padded in the same way', async () => {
  // gpt-oss: windows of 128 tokens and a micro-batch of 512 need 640 cells, 768 at a padding of 256.
  const at = async (engine: EngineQuestion) => {
    const { partIntervals } = await reportOf('gpt-oss-20b-mxfp4', engine, {
      contextLengthTokens: 8192,
      flashAttention: false,
      swaFull: false,
    });
    return partIntervals.kvCacheBytes.highBytes;
  };
  const [before, after] = [await at(llamaServer('b6100')), await at(llamaServer('b9849'))];
  // 12 of 24 layers have a window, each with 8 heads of 64 numbers.
  expect((after ?? 0) - (before ?? 0)).toBe(12 * 2 * 8 * 64 * 2 * 128);
});
