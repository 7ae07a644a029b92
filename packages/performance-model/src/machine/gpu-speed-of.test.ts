import { gpuSpeedOf } from './gpu-speed-of.js';
import { NVIDIA_GPUS } from './nvidia-gpus.js';
import { APPLE_GPUS, OTHER_GPUS } from './other-gpus.js';

const gigabytes = (name: string): number | null => {
  const speed = gpuSpeedOf(name);
  return speed === null ? null : speed.memoryBandwidth / 1e9;
};

describe('the published speed of a GPU', () => {
  test.each([
    ['NVIDIA GeForce RTX 3090', 936],
    ['NVIDIA GeForce RTX 4070 Ti SUPER', 672],
    ['NVIDIA GeForce RTX 4070 Laptop GPU', 256],
    ['GeForce RTX 2060 Mobile', 336],
    ['RTX4070Ti', 504],
    ['NVIDIA A100-SXM4-80GB', 2039],
    ['NVIDIA A100-PCIE-40GB', 1555],
    ['NVIDIA H100 80GB HBM3', 3350],
    ['NVIDIA H100 PCIe', 2039],
    ['NVIDIA RTX 6000 Ada Generation', 960],
    ['NVIDIA RTX PRO 6000 Blackwell Workstation Edition', 1792],
    ['Tesla V100-SXM2-16GB', 900],
    ['AMD Radeon RX 7900 XTX', 960],
    ['Radeon RX 7900 XT', 800],
    ['AMD RYZEN AI MAX+ 395 w/ Radeon 8060S', 256],
    ['Apple M4 Pro', 273],
    ['Apple M1', 68.3],
    ['Intel(R) Arc(TM) B580 Graphics', 456],
    ['Intel(R) Arc(TM) Pro B60 Graphics', 456],
    ['Intel(R) Arc(TM) 140V GPU (16GB)', 136.5],
    ['NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition', 1792],
    ['NVIDIA RTX PRO 4500 Blackwell', 896],
    ['NVIDIA RTX PRO 3000 Blackwell Generation Laptop GPU', 672],
    ['NVIDIA RTX 2000 Ada Generation', 224],
    ['NVIDIA RTX 5000 Ada Generation Laptop GPU', 576],
    ['Quadro RTX 6000', 672],
    ['NVIDIA TITAN RTX', 672],
    ['NVIDIA GeForce RTX 4090 D', 1008],
    ['NVIDIA GeForce RTX 3050 6GB Laptop GPU', 168],
    ['NVIDIA GH200 480GB', 4000],
    ['NVIDIA Jetson AGX Orin 64GB', 204.8],
    ['AMD Radeon RX 9060', 288],
    ['AMD Radeon RX 9060 XT', 320],
    ['AMD Radeon PRO W7900', 864],
    ['AMD Radeon VII (RADV VEGA20)', 1024],
    ['AMD Instinct MI325X', 6000],
    ['AMD RYZEN AI MAX+ PRO 395 w/ Radeon 8060S', 256],
    ['Qualcomm(R) Adreno(TM) X1-85 GPU', 135],
    ['Snapdragon X Elite', 135],
    ['M3 Max 30', 300],
    ['Apple M4 Max', 546],
  ])('%s reads %d GB a second', (name, expected) => {
    expect(gigabytes(name)).toBe(expected);
  });

  test.each(['NVIDIA GeForce RTX 3070 Laptop XT', 'Radeon 890M', 'RTX 9999', 'RTX 4050', ''])(
    '"%s" is not known',
    (name) => {
      expect(gpuSpeedOf(name)).toBeNull();
    },
  );

  test('a caller can name the back end; otherwise the usual back end of the vendor is used', () => {
    expect(gpuSpeedOf('RX 6800 XT', 'rocm')?.backend).toBe('rocm');
    expect(gpuSpeedOf('RX 6800 XT')?.backend).toBe('vulkan');
    expect(gpuSpeedOf('Apple M2 Max')?.backend).toBe('metal');
    expect(gpuSpeedOf('NVIDIA GeForce GTX 1070')).toEqual({
      backend: 'cuda',
      generation: 'pascal',
      memoryBandwidth: 256e9,
      operationsPerSecond: 6.5e12,
      linkBandwidth: 15.75e9,
    });
  });

  test.each([
    ['GeForce RTX 2080 Ti', 15.75],
    ['GeForce RTX 3090', 31.5],
    ['GeForce RTX 4060 Ti', 15.75],
    ['GeForce RTX 4070 Laptop GPU', 31.5],
    ['GeForce RTX 4070 Ti', 31.5],
    ['GeForce RTX 5090', 31.5],
    ['GeForce RTX 5060 Ti', 15.75],
    ['GeForce RTX 5060 Laptop GPU', 31.5],
    ['Radeon RX 7700 XT', 31.5],
    ['Radeon RX 7700S', 15.75],
    ['Radeon RX 6600 XT', 15.75],
    ['Radeon RX 7600', 15.75],
    ['Radeon RX 7900 XTX', 31.5],
    ['Apple M4 Max', null],
    ['NVIDIA GB10', null],
    ['NVIDIA Jetson Thor', null],
    ['AMD Ryzen AI Max+ 395', null],
    ['Radeon RX 6500 XT', 7.875],
    ['Quadro RTX 8000', 15.75],
    ['Radeon RX 9070 XT', 31.5],
    ['Radeon RX 9060 XT', 31.5],
  ])('weights reach a %s over PCI Express at %d GB a second', (name, expected) => {
    expect(gpuSpeedOf(name)?.linkBandwidth).toBe(expected === null ? null : expected * 1e9);
  });

  test('each GPU of the table is found by its own name', () => {
    for (const [name, expected] of [...NVIDIA_GPUS, ...APPLE_GPUS, ...OTHER_GPUS])
      expect([name, gigabytes(name)]).toEqual([name, expected]);
  });
});
