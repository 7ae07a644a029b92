import { createFakeFileTree } from '../../../test/fake-file-tree.js';
import { intelXe } from '../../../test/machines/linux-gpus.js';
import type { DrmCard } from './drm-cards.js';
import { readIntelVram } from './intel-memory.js';

const CARD: DrmCard = {
  name: 'card0',
  folder: '/sys/class/drm/card0/device',
  pciAddress: '0000:03:00.0',
  vendor: 'intel',
  pciId: '8086:e20b',
  driver: 'xe',
};
const vram = (files: Readonly<Record<string, string>>): number | null =>
  readIntelVram(createFakeFileTree(files), CARD);
const tile = (index: number, text: string): Record<string, string> => ({
  [`/sys/class/drm/card0/device/tile${index}/physical_vram_size_bytes`]: text,
});

describe("the VRAM of Intel's cards", () => {
  it('is the size that xe reports for the only tile', () => {
    expect(vram(intelXe.files ?? {})).toBe(12_884_901_888);
  });

  it('is the sum of all tiles', () => {
    expect(vram({ ...tile(0, '8000000000\n'), ...tile(1, '8000000000\n') })).toBe(16_000_000_000);
  });

  it('may be printed in hexadecimal', () => {
    expect(vram(tile(0, '0x300000000\n'))).toBe(12_884_901_888);
  });

  it.each(['', '0', '0x', '0x0', '-1', 'x'])('is unknown if a tile reports %j', (text) => {
    expect(vram(tile(0, text))).toBeNull();
    if (!/0$/.test(text)) expect(vram({ ...tile(0, '8000000000\n'), ...tile(1, text) })).toBeNull();
  });

  it("is read from one file of Intel's data-centre i915, and unknown with the kernel's i915", () => {
    expect(vram({ '/sys/class/drm/card0/lmem_total_bytes': '17179869184\n' })).toBe(17_179_869_184);
    expect(vram({ '/sys/class/drm/card0/device/uevent': 'DRIVER=i915\n' })).toBeNull();
  });
});
