import { join } from 'node:path';
import { estimateReport } from '../estimate/estimate-report.js';
import { readGgufHeader } from '../gguf/read-gguf-header.js';
import { resolveEngineProfile } from '../profile/resolve-profile.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';

const HEADERS = join(__dirname, '../../../../bench/data/lmstudio-loads/headers');
const MIB = 1024 * 1024;
/**
 * gpt-oss-120b has 36 layers with 128 experts. Each expert has three matrices of 2880 × 2880 in MXFP4, with 17 bytes for 32
 * weights. The matrices of attention are Q8_0, and those of the embedding are not repacked.
 */
const EXPERTS_MIB = (36 * 128 * 3 * 2880 * 2880 * 17) / 32 / MIB;

/** The repacked copy of gpt-oss-120b on the CPU, in MiB: expected, and the ends of its interval. */
async function repackedBy(runtimeVersion: string): Promise<readonly number[]> {
  const header = await readGgufHeader(join(HEADERS, 'gpt-oss-120b.gguf-header'));
  const profile = resolveEngineProfile({ engine: 'lmstudio', runtimeVersion, backend: 'none' });
  const { ram, partIntervals } = estimateReport(header, { ...NO_SETTINGS, cpu: 'avx2' }, null, {
    profile,
  });
  const { lowBytes, highBytes } = partIntervals.repackBytes;
  return [ram.repackBytes, lowBytes, highBytes].map((bytes) => bytes / MIB);
}

// llama.cpp pull request 19738 of 2026-02-19 added the kernels for MXFP4, after the runtimes of 2025.
test.each([
  ['1.44.0', [0, 0, 0]],
  ['2.0.0', [EXPERTS_MIB, 0, EXPERTS_MIB]],
  // That this runtime has them is inferred from the models that it loads.
  ['2.10.1', [EXPERTS_MIB, 0, EXPERTS_MIB]],
  ['2.37.0', [EXPERTS_MIB, EXPERTS_MIB, EXPERTS_MIB]],
])('runtime %s repacks %j MiB of weights in MXFP4', async (version, repacked) => {
  expect(await repackedBy(version)).toEqual(repacked);
});

// With a GPU, the CPU's weights are not repacked. Metal copies no weights from the CPU, so they are.
test.each([
  ['none', true],
  ['metal', true],
  ['cuda', false],
] as const)(
  'whether the kernels of the CPU count with the back end %s: %s',
  async (backend, counts) => {
    const header = await readGgufHeader(join(HEADERS, 'gpt-oss-120b.gguf-header'));
    const profile = resolveEngineProfile({ engine: 'lmstudio', runtimeVersion: '2.28.2', backend });
    const { profile: used } = estimateReport(header, NO_SETTINGS, null, { profile });
    const settings = (used?.settings ?? []).map(({ setting }) => setting);
    expect(settings).toContain('flashAttention');
    expect(settings.includes('cpuKernels')).toBe(counts);
  },
);
