import { gpuSpeedOf } from './gpu-speed-of.js';

describe('a GPU that the table does not have gets no figures of another one:', () => {
  test.each([
    ['an unknown variant', 'NVIDIA GeForce RTX 3070 Laptop XT'],
    ['an unknown variant', 'NVIDIA GeForce RTX 5080 SUPER'],
    ['an unknown variant', 'NVIDIA RTX 6000D'],
    ['an unknown variant', 'NVIDIA RTX PRO 6000D'],
    ['an unknown variant', 'NVIDIA RTX PRO 4500 Blackwell Server Edition'],
    ['an unknown variant', 'NVIDIA GeForce GTX 1650 with Max-Q Design'],
    ['an unknown variant', 'AMD Radeon Pro W6800X Duo'],
    ['an unknown variant', 'Apple M5 Ultra'],
    ['a processor with RAM of any speed', 'Radeon 890M'],
    ['a processor with RAM of any speed', 'AMD Radeon 780M Graphics (RADV PHOENIX)'],
    ['a processor with RAM of any speed', 'AMD Ryzen AI 9 HX 370 w/ Radeon 890M'],
    ['a processor with RAM of any speed', 'Intel(R) Arc(TM) 140T GPU (32GB)'],
    ['a processor with RAM of any speed', 'Intel(R) Iris(R) Xe Graphics'],
    ['two processors, one with wider RAM', 'Qualcomm(R) Adreno(TM) X2-90 GPU'],
    ['modules with different memory', 'Orin (nvgpu)'],
    ['a family', 'AMD Radeon(TM) Graphics'],
    ['a family', 'Intel(R) Arc(TM) Graphics'],
    ['a family', 'Radeon RX Vega'],
    ['a part of a name', 'Laptop GPU'],
    ['a part of a name', 'Max-Q'],
    ['a part of a name', 'NVIDIA Graphics Device'],
    ['several GPUs', 'Navi 23 [Radeon RX 6600/6600 XT/6600M]'],
    ['several GPUs', 'Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]'],
    ['several GPUs', 'Navi 33 [Radeon RX 7600/7600 XT/7600M XT/7600S/7700S / PRO W7600]'],
    ['a slice of a GPU', 'NVIDIA A100-SXM4-80GB MIG 1g.10gb'],
    ['a slice of a GPU', 'MIG 3g.20gb'],
    ['a share of a GPU', 'GRID A100-10C'],
    ['a share of a GPU', 'NVIDIA A40-48Q'],
    ['a share of a GPU', 'GRID T4-16Q'],
    ['a GPU of another maker', 'Intel Max 395'],
    ['a GPU of another maker', 'NVIDIA M2'],
    ['software', 'llvmpipe (LLVM 17.0.6, 256 bits)'],
    ['no such GPU', 'RTX 9999'],
    ['no such GPU', 'RTX 4050'],
    ['no name', ''],
  ])('%s, "%s"', (_, name) => {
    expect(gpuSpeedOf(name)).toBeNull();
  });
});
