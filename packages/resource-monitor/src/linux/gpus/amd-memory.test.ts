import { classifyAmd } from './amd-memory.js';

const GIB = 1024 ** 3;
const chip = (vram: number, gtt: number | null, integrated: boolean) =>
  classifyAmd({
    vramTotalBytes: vram * GIB,
    vramUsedBytes: 0.25 * GIB,
    gttTotalBytes: gtt === null ? null : gtt * GIB,
    gttUsedBytes: gtt === null ? null : 1 * GIB,
    integrated,
  });

describe("an AMD chip's memory", () => {
  it('of a card is its VRAM, however much system memory it may map', () => {
    expect(chip(8, 16, false)).toMatchObject({ memory: 'dedicated', totalBytes: 8 * GIB });
  });

  it.each([
    [0.5, 15, 'shared', 15.5],
    [16, 16, 'shared', 32],
    // A carve-out larger than the mapped memory is dedicated.
    [96, 15, 'dedicated', 96],
  ])(
    'of an APU with a carve-out of %d GiB and a GTT of %s GiB is %s',
    (vram, gtt, memory, total) => {
      expect(chip(vram, gtt, true)).toMatchObject({
        kind: 'integrated',
        memory,
        totalBytes: total * GIB,
        availableBytes: (total - (memory === 'shared' ? 1.25 : 0.25)) * GIB,
      });
    },
  );

  it('of an APU is unknown if the driver does not report how much system memory the GPU may map', () => {
    expect(chip(2, null, true)).toMatchObject({
      memory: 'shared',
      totalBytes: null,
      availableBytes: null,
    });
  });
});
