import {
  estimateReportFromFileSize,
  NO_SETTINGS,
  resolveEngineProfile,
  withKnownSettings,
} from '@mai/memory-estimator';
import { describeSettings } from './describe-estimate.js';

const describe4Gib = (offloadsKvCache: boolean, gpuBackend: 'cuda' | 'none') => {
  const engine = { engine: 'lmstudio', runtimeVersion: '2.38.0', backend: 'cuda' } as const;
  const profile = withKnownSettings(
    resolveEngineProfile(engine),
    { offloadsKvCache },
    'the hardware settings',
  );
  const facts = { sizeBytes: 4 * 1024 ** 3, format: 'gguf', architecture: null, layers: 32 };
  const report = estimateReportFromFileSize(facts, { ...NO_SETTINGS, gpuBackend }, profile);
  return describeSettings({ basis: { kind: 'size', why: 'a test' }, report })[0];
};

test('the settings name the place of the KV cache where it differs from that of the layers', () => {
  expect(describe4Gib(false, 'cuda')).toContain('KV cache f16 in RAM, ');
  expect(describe4Gib(true, 'cuda')).toContain('KV cache f16, ');
  expect(describe4Gib(false, 'none')).toContain('KV cache f16, ');
});
