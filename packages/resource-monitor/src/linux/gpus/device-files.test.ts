import { assembleMachine } from '../../../test/assemble-machine.js';
import * as linuxGpus from '../../../test/machines/linux-gpus.js';
import { sysfsCard } from '../../../test/machines/machine.js';

const NVIDIA = sysfsCard('card0', {
  vendor: '0x10de',
  uevent: 'DRIVER=nvidia\nPCI_SLOT_NAME=0000:01:00.0',
  'drm/card0/dev': '226:0',
  'drm/renderD128/dev': '226:128',
});
const AMD = sysfsCard('card1', {
  'drm/card1/dev': '226:1',
  'drm/renderD129/dev': '226:129',
});

/** The GPUs of a machine with both cards, and the reason why its list lacks some. */
async function gpusOf(...devices: readonly string[]) {
  const { monitor } = assembleMachine({
    ...linuxGpus.amdPolaris,
    files: {
      ...linuxGpus.amdPolaris.files,
      ...NVIDIA,
      ...AMD,
      ...Object.fromEntries(devices.map((path) => [path, ''])),
    },
  });
  const { gpus, sources } = await monitor.snapshot();
  await monitor[Symbol.asyncDispose]();
  const list = sources.find(({ figure }) => figure === 'gpus');
  return {
    vendors: gpus.map(({ vendor }) => vendor),
    reasons: list?.passedOver.flatMap(({ source, reason }) =>
      source === '/sys/class/drm' ? [reason] : [],
    ),
  };
}

// A container lists the cards of its machine, whichever device files it has: ollama/ollama #10691 and #17104,
// canonical/lxd #11236.
describe('GPUs in a container', () => {
  test.each([
    ['all device files', ['/dev/dri/renderD128', '/dev/dri/renderD129'], ['nvidia', 'amd']],
    ['those of the AMD card', ['/dev/dri/renderD129'], ['amd']],
    ['those that NVIDIA’s container toolkit adds', ['/dev/nvidiactl', '/dev/nvidia0'], ['nvidia']],
    ['no device files', [], []],
  ])('with %s', async (_, devices, vendors) => {
    const found = await gpusOf('/dev/null', ...devices);
    expect(found.vendors).toEqual(vendors);
    expect(found.reasons).toHaveLength(vendors.length === 2 ? 0 : 1);
  });

  test('that lack a device file are named', async () => {
    const { reasons } = await gpusOf('/dev/null', '/dev/dri/renderD129');
    expect(reasons?.[0]).toContain('/dev has no device file of card0, so programs here');
  });

  test('are all listed where /dev cannot be read', async () => {
    expect((await gpusOf()).vendors).toEqual(['nvidia', 'amd']);
  });
});
