import { describeAdapters } from './windows-gpus.js';

const GIB = 1024 ** 3;
const AMD = 0x1002;

const describe4GiB = (name: string) =>
  describeAdapters(
    {
      adapters: [
        {
          name,
          vendorId: AMD,
          deviceId: null,
          luid: null,
          dedicatedBytes: 4 * GIB,
          sharedBytes: 14 * GIB,
        },
      ],
      usage: new Map(),
    },
    0,
  )[0];

describe("AMD's GPUs on Windows", () => {
  // The names are from Osmantic/ODS #1894 and ollama/ollama #14562, from the list of Framework's drivers (`AMD Radeon(TM) 780M` is
  // PCI\\VEN_1002&DEV_15BF), and from AMD's pages of the Ryzen 5 2400G and the A10-7850K.
  it.each([
    'AMD Radeon(TM) Graphics',
    'AMD Radeon(TM) 780M',
    'AMD Radeon(TM) 610M',
    'AMD Radeon 780M Graphics',
    'AMD Radeon(TM) 860M Graphics',
    'AMD Radeon(TM) 8060S Graphics',
    'AMD Radeon(TM) Vega 8 Graphics',
    'AMD Radeon(TM) RX Vega 10 Graphics',
    'Radeon RX Vega 11 Graphics',
    'AMD Radeon(TM) R7 Graphics',
  ])('share the memory of the system, also with a carve-out of 4 GiB: %s', (name) => {
    expect(describe4GiB(name)).toMatchObject({
      kind: 'integrated',
      memory: 'shared',
      totalBytes: 18 * GIB,
    });
  });

  it.each([
    'AMD Radeon RX 9070 XT',
    'AMD Radeon AI PRO R9700',
    'AMD Radeon(TM) RX 7700S',
    'AMD Radeon RX 7600M XT',
    'AMD Radeon RX 6800M',
    'Radeon RX Vega',
    'Radeon RX Vega M GH Graphics',
    'AMD Radeon VII',
    'AMD Radeon HD 7970M',
    'AMD Radeon (TM) R9 390 Series',
    'AMD Radeon PRO W7900',
  ])('have memory of their own as cards: %s', (name) => {
    expect(describe4GiB(name)).toMatchObject({
      kind: 'discrete',
      memory: 'dedicated',
      totalBytes: 4 * GIB,
    });
  });
});
