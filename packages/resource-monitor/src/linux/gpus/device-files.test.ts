import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assembleMachine } from '../../../test/assemble-machine.js';
import * as linuxGpus from '../../../test/machines/linux-gpus.js';
import { sysfsCard } from '../../../test/machines/machine.js';
import { realFileTree } from '../../ports/file-tree.js';
import { whyClosed } from './device-files.js';
import { listDrmCards } from './drm-cards.js';

const NVIDIA = sysfsCard('card0', {
  vendor: '0x10de',
  uevent: 'DRIVER=nvidia\nPCI_SLOT_NAME=0000:01:00.0',
  'drm/card0/dev': '226:0',
  'drm/renderD128/dev': '226:128',
});
const AMD = sysfsCard('card1', {
  'drm/card1/dev': '226:1',
  'drm/renderD129/dev': '226:129',
  mem_info_vram_used: '1073741824',
});

interface Devices {
  readonly present: readonly string[];
  readonly forbidden?: readonly string[];
}

/** The GPUs of a machine with both cards, and why it does not list the others, by device key. */
async function gpusOf({ present, forbidden = [] }: Devices) {
  const { monitor, files } = assembleMachine({
    ...linuxGpus.amdPolaris,
    files: {
      ...linuxGpus.amdPolaris.files,
      ...NVIDIA,
      ...AMD,
      ...Object.fromEntries(present.map((path) => [path, ''])),
    },
  });
  for (const path of forbidden) files.forbidden.add(path);
  const { gpus, sources } = await monitor.snapshot();
  await monitor[Symbol.asyncDispose]();
  const listed = new Set(gpus.map(({ deviceKey }) => `gpu:${deviceKey}`));
  return {
    vendors: gpus.map(({ vendor }) => vendor),
    gpus,
    closed: sources.flatMap(({ figure, passedOver }) =>
      figure.startsWith('gpu:') && !listed.has(figure)
        ? [[figure, passedOver[0]?.reason ?? ''] as const]
        : [],
    ),
  };
}

const RENDER_NODES = ['/dev/dri/renderD128', '/dev/dri/renderD129'];

// A container lists the cards of its machine, whichever device files it has: ollama/ollama #10691 and #17104,
// canonical/lxd #11236.
describe('GPUs in a container', () => {
  test.each([
    ['all device files', RENDER_NODES, ['nvidia', 'amd']],
    ['those of the AMD card', ['/dev/dri/renderD129'], ['amd']],
    ['those that NVIDIA’s container toolkit adds', ['/dev/nvidiactl', '/dev/nvidia0'], ['nvidia']],
    ['no device files', [], []],
  ])('with %s', async (_, devices, vendors) => {
    const found = await gpusOf({ present: ['/dev/null', ...devices] });
    expect(found.vendors).toEqual(vendors);
    expect(found.closed).toHaveLength(2 - vendors.length);
  });

  test('that lack a device file are named', async () => {
    const { closed } = await gpusOf({ present: ['/dev/null', '/dev/dri/renderD129'] });
    expect(closed).toEqual([
      [
        'gpu:pci:0000:01:00.0',
        expect.stringContaining('/dev has no device file of card0, so programs here'),
      ],
    ]);
  });

  test('are all listed where /dev cannot be read', async () => {
    expect((await gpusOf({ present: [] })).vendors).toEqual(['nvidia', 'amd']);
  });
});

// unslothai/unsloth #10466 and #10473, Umio-Yasuno/amdgpu_top #92: sysfs lists the card, and an account outside of the group
// `render` cannot open it, so its engines run on the CPU.
describe('GPUs whose device file this user may not open', () => {
  const present = ['/dev/null', ...RENDER_NODES];
  test('are not counted, and the reason names the file and what to do', async () => {
    const found = await gpusOf({ present, forbidden: ['/dev/dri/renderD129'] });
    expect(found.vendors).toEqual(['nvidia']);
    expect(found.closed).toEqual([
      [
        'gpu:pci:0000:0a:00.0',
        expect.stringMatching(
          /may not open \/dev\/dri\/renderD129 \(card1\).*add this user to that group/,
        ),
      ],
    ]);
  });

  test('are counted if they are of NVIDIA and /dev/nvidiactl may be opened', async () => {
    const forbidden = ['/dev/dri/renderD128'];
    const open = await gpusOf({ present: [...present, '/dev/nvidiactl'], forbidden });
    expect(open.vendors).toEqual(['nvidia', 'amd']);
    const closed = await gpusOf({
      present: [...present, '/dev/nvidiactl'],
      forbidden: [...forbidden, '/dev/nvidiactl'],
    });
    expect(closed.vendors).toEqual(['amd']);
  });

  test('are counted, with the figures of sysfs, if LM Studio runs as a user who may open them', async () => {
    const seen = {
      name: 'AMD Radeon RX 570 (RADV POLARIS10)',
      integration: 'discrete',
      vendor: 'amd',
      dedicatedBytes: 4 * 1024 ** 3,
      totalBytes: null,
    } as const;
    const { monitor, files } = assembleMachine({
      ...linuxGpus.amdPolaris,
      files: {
        ...linuxGpus.amdPolaris.files,
        ...AMD,
        '/dev/null': '',
        '/dev/dri/renderD129': '',
      },
    });
    files.forbidden.add('/dev/dri/renderD129');
    expect((await monitor.snapshot()).gpus).toEqual([]);
    monitor.inform({ survey: { gpus: [seen] } });
    expect((await monitor.snapshot()).gpus).toMatchObject([
      { deviceKey: 'pci:0000:0a:00.0', availableBytes: 3 * 1024 ** 3 },
    ]);
    await monitor[Symbol.asyncDispose]();
  });
});

const onLinux = process.platform === 'linux' ? describe : describe.skip;
onLinux('with real files', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'mai-dev-'));
    const device = path.join(root, 'sys/class/drm/card0/device');
    mkdirSync(path.join(device, 'drm/renderD128'), { recursive: true });
    mkdirSync(path.join(root, 'dev/dri'), { recursive: true });
    writeFileSync(path.join(device, 'vendor'), '0x1002\n');
    writeFileSync(path.join(root, 'dev/null'), '');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const why = (): string | null => {
    const files = realFileTree(root);
    const [card] = listDrmCards(files);
    return card === undefined ? 'no card was listed' : whyClosed(files, card);
  };
  const node = () => path.join(root, 'dev/dri/renderD128');

  test('a card without its file, with a file that may be opened, and with one that may not', () => {
    expect(why()).toMatch(/no device file of card0/);
    writeFileSync(node(), '');
    expect(why()).toBeNull();
    rmSync(node());
    // Neither root nor any other user may write this file of the kernel.
    symlinkSync('/proc/sys/kernel/ostype', node());
    expect(why()).toMatch(/may not open \/dev\/dri\/renderD128/);
  });

  const asUser = process.getuid?.() === 0 ? test.skip : test;
  asUser('a file without permissions', () => {
    writeFileSync(node(), '');
    chmodSync(node(), 0);
    expect(why()).toMatch(/may not open/);
  });
});
