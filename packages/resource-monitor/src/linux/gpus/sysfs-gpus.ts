import type { FileTree, KeptFile } from '../../ports/file-tree.js';
import { raceDeadline, TIMED_OUT } from '../../ports/race.js';
import type { Clock } from '../../ports/clock.js';
import type { GpuReader, GpuReading } from '../../reading/figures.js';
import { usesSystemMemory } from '../../gpu/nvidia-products.js';
import { classifyAmd } from './amd-memory.js';
import { whyClosed } from './device-files.js';
import type { DrmCard } from './drm-cards.js';
import { isSuspended, listDrmCards, RUNTIME_STATUS } from './drm-cards.js';
import { readIntelVram } from './intel-memory.js';
import { readNvidiaFacts } from './nvidia-driver.js';

/** Cards are listed again after this time, because a card can be unplugged or its driver loaded later. */
const RELIST_AFTER_MS = 30_000;
/** Deadline for reading one card. sysfs answers in microseconds unless the driver hangs. */
const ANSWER_WITHIN_MS = 250;

interface OpenCard {
  readonly card: DrmCard;
  /** The facts that were read when the cards were listed. */
  readonly facts: CardFacts;
  /** Null if the card's driver reports no figures. */
  readonly amd: AmdCard | null;
  /** The reading that the driver has not answered yet. */
  pending: ReturnType<typeof readAmd> | null;
}

interface CardFacts {
  readonly deviceKey: string;
  readonly name: string | null;
  readonly totalBytes: number | null;
  readonly closed: string | null;
}

interface AmdCard {
  readonly integrated: boolean;
  readonly files: Readonly<Record<AmdFile, KeptFile>>;
}

const AMD_FILES = {
  vramTotal: 'mem_info_vram_total',
  vramUsed: 'mem_info_vram_used',
  gttTotal: 'mem_info_gtt_total',
  gttUsed: 'mem_info_gtt_used',
  busyPercent: 'gpu_busy_percent',
  runtimeStatus: RUNTIME_STATUS,
} as const;
type AmdFile = keyof typeof AMD_FILES;

/**
 * Reads GPUs from /sys/class/drm. amdgpu reports size and use of memory there. Intel's drivers report only the
 * size. Other figures of Intel's and NVIDIA's cards are null. Another reader or LM Studio's survey can add
 * them.
 */
export function sysfsGpus(files: FileTree, clock: Clock): GpuReader & { close(): void } {
  let cards: readonly OpenCard[] = [];
  let listedAtMs: number | null = null;
  const close = (): void => {
    for (const open of cards) closeCard(open);
    cards = [];
    listedAtMs = null;
  };
  const relist = (): void => {
    // A hanging driver blocks the thread that reads from it. Each further read would block one more thread.
    const hanging = cards.filter(({ pending }) => pending !== null);
    for (const open of cards) if (open.pending === null) closeCard(open);
    cards = listDrmCards(files).map(
      (card) =>
        hanging.find((open) => open.card.folder === card.folder) ?? {
          card,
          facts: readFacts(files, card),
          amd: openAmd(files, card),
          pending: null,
        },
    );
    listedAtMs = clock.monotonicMs();
  };
  return {
    source: '/sys/class/drm',
    async read() {
      if (listedAtMs === null || clock.monotonicMs() - listedAtMs > RELIST_AFTER_MS) relist();
      if (cards.length === 0) return { reason: 'the kernel lists no graphics card' };
      return { value: await Promise.all(cards.map((card) => readCard(files, card, clock))) };
    },
    close,
  };
}

function closeCard({ amd }: OpenCard): void {
  for (const file of Object.values(amd?.files ?? {})) file.close();
}

function readFacts(tree: FileTree, card: DrmCard): CardFacts {
  return { ...readIdentity(tree, card), closed: whyClosed(tree, card) };
}

function readIdentity(tree: FileTree, card: DrmCard): Omit<CardFacts, 'closed'> {
  const deviceKey = `pci:${card.pciAddress ?? card.name}`;
  switch (card.vendor) {
    case 'nvidia': {
      // The UUID is the key, as in nvidia-smi's list, so the key stays the same when the GPU wakes.
      const { name, uuid } = readNvidiaFacts(tree, card.pciAddress);
      return { deviceKey: uuid ?? deviceKey, name, totalBytes: null };
    }
    case 'intel':
      return { deviceKey, name: null, totalBytes: readIntelVram(tree, card) };
    default: {
      const product = tree.readText(`${card.folder}/product_name`)?.trim() ?? '';
      return { deviceKey, name: product === '' ? null : product, totalBytes: null };
    }
  }
}

function openAmd(tree: FileTree, card: DrmCard): AmdCard | null {
  // Another driver has none of these files: radeon for old cards, vfio-pci for a card of a virtual machine.
  if (card.driver !== 'amdgpu') return null;
  const keep = (name: AmdFile): KeptFile => tree.keep(`${card.folder}/${AMD_FILES[name]}`);
  return {
    integrated: isApu(tree, card),
    files: {
      vramTotal: keep('vramTotal'),
      vramUsed: keep('vramUsed'),
      gttTotal: keep('gttTotal'),
      gttUsed: keep('gttUsed'),
      busyPercent: keep('busyPercent'),
      runtimeStatus: keep('runtimeStatus'),
    },
  };
}

/**
 * For APUs amdgpu (amdgpu_pm.c) has neither mem_busy_percent nor pcie_bw. Some cards (Vega 10) also lack
 * mem_busy_percent, so the last condition is checked, too. The CPU can address all VRAM of an APU, because the
 * VRAM is a carve-out of RAM.
 */
function isApu(tree: FileTree, card: DrmCard): boolean {
  const names = new Set(tree.list(card.folder));
  const text = (name: string): string | null => tree.readText(`${card.folder}/${name}`);
  return (
    names.has('gpu_busy_percent') &&
    !names.has('mem_busy_percent') &&
    !names.has('pcie_bw') &&
    text('mem_info_vis_vram_total') === text('mem_info_vram_total')
  );
}

async function readCard(tree: FileTree, open: OpenCard, clock: Clock): Promise<GpuReading> {
  const { card, facts, amd } = open;
  const base = withoutFigures(tree, card, facts);
  if (amd === null) return base;
  open.pending ??= readAmd(amd).finally(() => {
    open.pending = null;
  });
  const figures = await raceDeadline(open.pending, ANSWER_WITHIN_MS, clock);
  if (figures === TIMED_OUT) {
    return { ...base, reasons: [`the driver did not answer within ${ANSWER_WITHIN_MS} ms`] };
  }
  const memory = classifyAmd({ ...figures, integrated: amd.integrated });
  const known = memory.availableBytes !== null;
  return {
    ...base,
    ...memory,
    utilizationRatio: figures.utilizationRatio,
    readAtMonotonicMs: known ? clock.monotonicMs() : null,
    reasons: known ? [] : ['the driver reports no mem_info_vram_total or no mem_info_vram_used'],
  };
}

async function readAmd({ files }: AmdCard) {
  const number = async (name: AmdFile): Promise<number | null> => {
    const text = (await files[name].readLater())?.trim() ?? '';
    return /^\d+$/.test(text) ? Number(text) : null;
  };
  // A suspended card is not read, because reading gpu_busy_percent would wake the card and keep it awake.
  const asleep = isSuspended(await files.runtimeStatus.readLater());
  // Cards are read one after the other, so that a hanging driver blocks only one thread of the pool.
  const vramTotalBytes = await number('vramTotal');
  const vramUsedBytes = await number('vramUsed');
  const gttTotalBytes = await number('gttTotal');
  const gttUsedBytes = await number('gttUsed');
  const busyPercent = asleep ? 0 : await number('busyPercent');
  const utilizationRatio = busyPercent === null ? null : busyPercent / 100;
  return { vramTotalBytes, vramUsedBytes, gttTotalBytes, gttUsedBytes, utilizationRatio };
}

function withoutFigures(tree: FileTree, card: DrmCard, facts: CardFacts): GpuReading {
  const integrated = isIntegrated(card, facts);
  return {
    deviceKey: facts.deviceKey,
    pciAddress: card.pciAddress,
    totalIsEstimate: false,
    closed: facts.closed,
    name: facts.name,
    pciId: card.pciId,
    vendor: card.vendor,
    kind: integrated ? 'integrated' : 'discrete',
    memory: integrated ? 'shared' : 'dedicated',
    totalBytes: facts.totalBytes,
    usedBytes: null,
    availableBytes: null,
    utilizationRatio: null,
    processes: null,
    readAtMonotonicMs: null,
    reasons: [reasonFor(tree, card, facts)],
  };
}

function reasonFor(
  tree: FileTree,
  { vendor, driver, folder }: DrmCard,
  { totalBytes }: CardFacts,
): string {
  if (vendor === 'nvidia' && isSuspended(tree.readText(`${folder}/${RUNTIME_STATUS}`)))
    return 'this GPU is suspended to save power, and nvidia-smi would wake it';
  if (driver === null) return 'no driver is loaded for this GPU';
  return totalBytes === null
    ? `the driver ${driver} reports no memory in sysfs`
    : `the driver ${driver} reports the size of the VRAM, but not how much is in use`;
}

/**
 * Intel's integrated GPU is always device 2 of PCI bus 0, and no card has this address. NVIDIA's integrated
 * GPUs are recognized by name.
 */
function isIntegrated({ vendor, pciAddress }: DrmCard, { name }: CardFacts): boolean {
  if (vendor === 'nvidia') return usesSystemMemory(name);
  return vendor === 'intel' && pciAddress === '0000:00:02.0';
}
