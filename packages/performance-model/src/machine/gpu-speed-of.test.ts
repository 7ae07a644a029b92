import { gpuSpeedOf } from './gpu-speed-of.js';
import { AMD_CHIPS, AMD_GPUS } from './amd-gpus.js';
import { GEFORCE_GPUS } from './geforce-gpus.js';
import { NVIDIA_GPUS } from './nvidia-gpus.js';
import { APPLE_GPUS, INTEL_GPUS, MOORE_THREADS_GPUS, QUALCOMM_GPUS } from './other-gpus.js';

const GIB = 2 ** 30;
const gigabytes = (name: string, memoryGib?: number): number | null => {
  const speed = gpuSpeedOf(
    name,
    undefined,
    memoryGib === undefined ? null : Math.round(memoryGib * GIB),
  );
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

  test.each([
    ['Tesla K80', 240],
    ['Quadro GV100', 870],
    ['NVIDIA TITAN V', 653],
    ['NVIDIA TITAN V CEO Edition', 870],
    ['NVIDIA A16', 200],
    ['NVIDIA CMP 170HX', 1493],
    ['P102-100', 440],
    ['Tesla P100-PCIE-12GB', 549],
    ['Tesla V100S-PCIE-32GB', 1134],
    ['NVIDIA H100 NVL', 3938],
    ['NVIDIA H800 PCIe', 2039],
    ['NVIDIA A800 40GB Active', 1555],
    ['NVIDIA GH200 144G HBM3e', 4900],
    ['NVIDIA B300 SXM6 AC', 8000],
    ['Tesla M4', 88],
    ['Tesla M60', 160],
    ['Quadro P1000', 80],
    ['NVIDIA RTX A3000 12GB Laptop GPU', 336],
    ['NVIDIA RTX A1000', 192],
    ['NVIDIA RTX 500 Ada Generation Laptop GPU', 128],
    ['NVIDIA RTX PRO 500 Blackwell Generation Laptop GPU', 288],
    ['NVIDIA RTX PRO 4000 Blackwell', 672],
    ['NVIDIA RTX PRO 4000 Blackwell SFF Edition', 432],
    ['NVIDIA RTX PRO 6000 Blackwell Server Edition', 1597],
    ['NVIDIA RTX PRO 5000 72GB Blackwell', 1344],
    ['NVIDIA GeForce RTX 4090D', 1008],
    ['NVIDIA GeForce RTX 5090 D v2', 1344],
    ['NVIDIA GeForce RTX 3080 12GB', 912],
    ['NVIDIA GeForce RTX 3080', 760],
    ['NVIDIA GeForce RTX 5070 Ti Laptop GPU', 672],
    ['NVIDIA GeForce RTX 2060 with Max-Q Design', 264],
    ['NVIDIA GeForce RTX 2070 Super with Max-Q Design', 352],
    ['NVIDIA GeForce RTX 4090/PCIe/SSE2', 1008],
    ['GA106M [GeForce RTX 3060 Mobile / Max-Q]', 336],
    ['AD107M [GeForce RTX 4060 Max-Q / Mobile]', 256],
    ['Virtio-GPU Venus (NVIDIA GeForce RTX 4090)', 1008],
    ['AMD Radeon AI PRO R9700', 640],
    ['AMD Radeon RX 9060 XT (RADV GFX1200)', 320],
    ['AMD Instinct MI350X', 8000],
    ['AMD Instinct MI250X / MI250', 1638],
    ['AMD Radeon Pro VII', 1024],
    ['AMD Radeon PRO W7800', 576],
    ['AMD Radeon PRO W7800 48GB', 864],
    ['Navi 31 [Radeon RX 7900 XTX]', 960],
    ['AMD Radeon Graphics (RADV GFX1151)', 256],
    ['AMD Radeon Graphics (RADV STRIX_HALO)', 256],
    ['Strix Halo [Radeon Graphics / Radeon 8050S Graphics / Radeon 8060S Graphics]', 256],
    ['Intel(R) Arc(TM) Pro B50 Graphics', 224],
    ['Intel(R) Arc(TM) Pro B70 Graphics', 608],
    ['Intel(R) Arc(TM) A770M Graphics', 512],
    ['Intel(R) Arc(TM) Pro A40 Graphics', 192],
    ['Apple A18 Pro', 60],
    ['Qualcomm(R) Adreno(TM) X2-85 GPU', 152],
  ])('%s reads %d GB a second, too', (name, expected) => {
    expect(gigabytes(name)).toBe(expected);
  });

  test.each([
    ['NVIDIA GeForce RTX 3080', 10, 760],
    ['NVIDIA GeForce RTX 3080', 12, 912],
    ['NVIDIA GeForce RTX 3060', 8, 240],
    ['NVIDIA GeForce RTX 3060', 11.996, 360],
    ['NVIDIA GeForce RTX 3060 Ti', 8, 448],
    ['NVIDIA GeForce RTX 3080 Ti', 12, 912],
    ['NVIDIA GeForce RTX 3050', 6, 168],
    ['NVIDIA GeForce RTX 3050', 8, 224],
    ['NVIDIA GeForce GTX 1050', 3, 84],
    ['NVIDIA GeForce GTX 1050', 2, 112],
    ['NVIDIA RTX A3000 Laptop GPU', 12, 336],
    ['Intel(R) Arc(TM) A770 Graphics', 8, 512],
    ['Intel(R) Arc(TM) A770 Graphics', 16, 560],
    ['AMD Radeon PRO W7800', 47.98, 864],
    ['Apple M3 Max', 36, 300],
    ['Apple M3 Max', 96, 300],
    ['Apple M3 Max', 128, 400],
    ['Apple M4 Max', 36, 410],
    ['Apple M4 Max', 64, 546],
    ['Apple M5 Max', 36, 460],
    ['Apple M5 Max', 48, 614],
    // The name tells the memory.
    ['NVIDIA A100-PCIE-40GB', 80, 1555],
  ])('%s with %d GiB reads %d GB a second', (name, memoryGib, expected) => {
    expect(gigabytes(name, memoryGib)).toBe(expected);
  });

  test.each([
    ['Radeon 8050S Graphics (RADV STRIX_HALO)', 47.5],
    ['Radeon 8060S Graphics (RADV GFX1151)', 59.4],
    ['Strix Halo [Radeon Graphics / Radeon 8050S Graphics / Radeon 8060S Graphics]', 47.5],
    ['Qualcomm(R) Adreno(TM) X1-45 GPU', 1.7],
    ['Qualcomm(R) Adreno(TM) X1-85 GPU', 4.6],
  ])('the name of %s tells the GPU better than that of its chip', (name, expected) => {
    expect(gpuSpeedOf(name)?.operationsPerSecond).toBe(expected * 1e12);
  });

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
    ['Radeon RX 5500 XT', 15.75],
    ['Radeon RX 560 Series', 7.875],
    ['Radeon RX 580 Series', 15.75],
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
    ['Tesla M40', 15.75],
    ['Tesla K80', 15.75],
    ['NVIDIA A16', 31.5],
    ['NVIDIA CMP 170HX', 15.75 / 16],
    ['Intel(R) Arc(TM) Pro B60 Graphics', 15.75],
    ['Intel(R) Arc(TM) Pro B70 Graphics', 31.5],
    ['AMD Radeon Graphics (RADV GFX1151)', null],
    ['Apple A18 Pro', null],
    ['AMD Radeon PRO W7600', 15.75],
    ['AMD Radeon PRO W7500', 15.75],
    ['AMD Radeon PRO W7700', 31.5],
    ['AMD Radeon PRO W6600', 15.75],
    ['AMD Radeon PRO W6800', 31.5],
    ['AMD Radeon PRO W6400', 7.875],
    ['AMD Radeon Pro W5500', 15.75],
    ['AMD Radeon Pro W5700', 31.5],
    ['AMD Radeon Pro VII', 31.5],
    ['AMD Radeon VII', 15.75],
    ['AMD Radeon RX 7400', 15.75],
    ['NVIDIA A2', 15.75],
    ['NVIDIA A10', 31.5],
    ['NVIDIA RTX A1000', 15.75],
    ['NVIDIA RTX A2000 12GB', 31.5],
    ['NVIDIA RTX PRO 4000 Blackwell SFF Edition', 15.75],
    ['Intel(R) Arc(TM) Pro A40 Graphics', 15.75],
    ['Intel(R) Arc(TM) Pro A60 Graphics', 31.5],
  ])('weights reach a %s over PCI Express at %d GB a second', (name, expected) => {
    expect(gpuSpeedOf(name)?.linkBandwidth).toBe(expected === null ? null : expected * 1e9);
  });

  const ALL = [GEFORCE_GPUS, NVIDIA_GPUS, AMD_GPUS, AMD_CHIPS, INTEL_GPUS, APPLE_GPUS]
    .concat([QUALCOMM_GPUS, MOORE_THREADS_GPUS])
    .flat();

  test('each GPU of the table is found by its own name', () => {
    for (const [name, ...figures] of ALL) {
      const speed = gpuSpeedOf(name);
      const operations = speed?.operationsPerSecond ?? null;
      expect([name, gigabytes(name), operations === null ? null : operations / 1e12]).toEqual([
        name,
        ...figures,
      ]);
    }
  });

  test('the memory of a GPU chooses only among those of its name', () => {
    const sorted = (name: string) => name.split(' ').sort().join(' ');
    const byWords = new Map(ALL.map(([name, bandwidth]) => [sorted(name), bandwidth]));
    const sizes = new Set(
      ALL.flatMap(([name]) => /(\d+)gb/.exec(name)?.slice(1).map(Number) ?? []),
    );
    expect(sizes).toContain(8);
    for (const [name, bandwidth] of ALL)
      for (const size of /\dgb/.test(name) ? [] : sizes) {
        const own = byWords.get(sorted(`${name} ${size}gb`)) ?? bandwidth;
        expect([name, size, gigabytes(name, size)]).toEqual([name, size, own]);
      }
  });
});
