import type { RawSurveyedGpu, RawSurveyEngine } from '../wire/wire.js';
import { toHardwareSurvey, toSurveyedGpu } from './hardware-survey.js';

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
    deviceId: 0,
    name: ' ',
    integrationType: 'unknown',
    detectionPlatform: 'unknown',
    dedicatedMemoryCapacityBytes: 0,
    totalMemoryCapacityBytes: 0,
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

const ENGINE: RawSurveyEngine = {
  name: 'llama.cpp-linux-x86_64-nvidia-cuda12-avx2',
  version: '2.28.2',
  engine: 'llama.cpp',
  compatibility: { code: 'compatible', message: null },
  gpuResult: { code: 'success', message: null },
  gpus: [RAW],
  cpuResult: { code: 'success', message: null },
  cpu: null,
  ramCapacity: 64e9,
  vramCapacity: 24e9,
};

test('a survey that succeeded has no problems', () => {
  expect(toHardwareSurvey({ status: 'ok', engines: [ENGINE] })).toMatchObject({
    ramBytes: 64e9,
    vramBytes: 24e9,
    problems: [],
  });
});

test.each([
  ['success', 0, []],
  ['noDevicesFound', 0, []],
  ['error', null, [{ part: 'gpu', code: 'error', message: 'cudaGetDeviceCount failed' }]],
  [
    'invalidDevice',
    null,
    [{ part: 'gpu', code: 'invalidDevice', message: 'cudaGetDeviceCount failed' }],
  ],
])('no GPU with the result %s: VRAM is %s', (code, vramBytes, problems) => {
  const gpuResult = { code, message: 'cudaGetDeviceCount failed' };
  const engine = { ...ENGINE, gpus: [], vramCapacity: 0, gpuResult };
  expect(toHardwareSurvey({ status: 'ok', engines: [engine] })).toMatchObject({
    gpus: [],
    vramBytes,
    problems,
  });
});

test.each([
  'llvmpipe (LLVM 19.1.1, 256 bits)',
  'SwiftShader Device',
  'Microsoft Basic Render Driver',
])('%s, which draws on the CPU, is no GPU', (name) => {
  const renderer = { ...RAW, name, totalMemoryCapacityBytes: 64e9 };
  const only = { ...ENGINE, gpus: [renderer], vramCapacity: 64e9 };
  expect(toHardwareSurvey({ status: 'ok', engines: [only] })).toMatchObject({
    gpus: [],
    vramBytes: 0,
  });
  const beside = toHardwareSurvey({
    status: 'ok',
    engines: [{ ...ENGINE, gpus: [RAW, renderer] }],
  });
  expect(beside.gpus.map((gpu) => gpu.name)).toEqual([RAW.name]);
});

test('reports that no engine fits this machine, and the reason', () => {
  expect(toHardwareSurvey({ status: 'noCompatibleBackends', engines: [] })).toMatchObject({
    engine: null,
    vramBytes: null,
    problems: [{ part: 'engine', code: 'noCompatibleBackends', message: null }],
  });
  const compatibility = { code: 'gpuDriverUnsupported', message: 'driver 470 is too old' };
  const survey = toHardwareSurvey({ status: 'ok', engines: [{ ...ENGINE, compatibility }] });
  expect(survey.problems).toEqual([{ part: 'engine', ...compatibility }]);
});
