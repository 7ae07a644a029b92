import type { RawSurveyedGpu } from '../wire/wire.js';
import { toSurveyedGpu } from './inspect-machine.js';

const RAW: RawSurveyedGpu = {
  deviceId: 1,
  name: 'Radeon RX 7900 XTX',
  integrationType: 'discrete',
  detectionPlatform: 'ROCm',
  dedicatedMemoryCapacityBytes: 24e9,
  totalMemoryCapacityBytes: 40e9,
};

test('takes name, vendor, integration and capacities of a GPU from the survey', () => {
  expect(toSurveyedGpu(RAW)).toEqual({
    deviceIndex: 1,
    name: 'Radeon RX 7900 XTX',
    vendor: 'amd',
    integration: 'discrete',
    platform: 'ROCm',
    dedicatedBytes: 24e9,
    totalBytes: 40e9,
  });
});

test.each([
  ['CUDA', 'nvidia'],
  ['ROCm', 'amd'],
  ['Metal', 'apple'],
  ['Vulkan', null],
  ['OpenCl', null],
  ['shell', null],
  ['unknown', null],
])('a GPU that %s detected has the vendor %s', (detectionPlatform, vendor) => {
  expect(toSurveyedGpu({ ...RAW, detectionPlatform }).vendor).toBe(vendor);
});

test('facts that the survey leaves out are null', () => {
  const unknown = {
    ...{ deviceId: 0, name: ' ', integrationType: 'unknown', detectionPlatform: 'unknown' },
    ...{ dedicatedMemoryCapacityBytes: 0, totalMemoryCapacityBytes: 0 },
  };
  expect(toSurveyedGpu(unknown)).toEqual({
    deviceIndex: 0,
    name: null,
    vendor: null,
    integration: null,
    platform: null,
    dedicatedBytes: null,
    totalBytes: null,
  });
});
