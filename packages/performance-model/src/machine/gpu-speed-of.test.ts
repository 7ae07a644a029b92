import { GPU_TABLE } from './gpu-table.js';
import { gpuSpeedOf } from './gpu-speed-of.js';

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
  ])('weights reach a %s over PCI Express at %d GB a second', (name, expected) => {
    expect(gpuSpeedOf(name)?.linkBandwidth).toBe(expected === null ? null : expected * 1e9);
  });

  test('each GPU of the table is found by its own name', () => {
    for (const [name, expected] of GPU_TABLE)
      expect([name, gigabytes(name)]).toEqual([name, expected]);
  });
});
