import type { FileTree, KeptFile } from '../ports/file-tree.js';
import { raceDeadline, TIMED_OUT } from '../ports/race.js';
import type { Clock } from '../ports/clock.js';
import type { GpuReader, GpuReading } from '../reading/figures.js';
import { classifyAmd } from './amd-memory.js';
import type { DrmCard } from './drm-cards.js';
import { listDrmCards } from './drm-cards.js';

/** A card may be unplugged, and a driver loaded late. */
const RELIST_AFTER_MS = 30_000;
/** sysfs answers in microseconds unless the driver is stuck. */
const PATIENCE_MS = 250;

interface OpenCard {
  readonly card: DrmCard;
  /** Null for drivers that show no figures. */
  readonly amd: AmdCard | null;
  /** What was asked and is not answered yet. */
  pending: ReturnType<typeof readAmd> | null;
}

interface AmdCard {
  readonly name: string | null;
  readonly integrated: boolean;
  readonly files: Readonly<Record<AmdFile, KeptFile>>;
}

const AMD_FILES = {
  vramTotal: 'mem_info_vram_total',
  vramUsed: 'mem_info_vram_used',
  gttTotal: 'mem_info_gtt_total',
  gttUsed: 'mem_info_gtt_used',
  busyPercent: 'gpu_busy_percent',
  runtimeStatus: 'power/runtime_status',
} as const;
type AmdFile = keyof typeof AMD_FILES;

/**
 * GPUs by /sys/class/drm. amdgpu tells its memory there; Intel's and NVIDIA's drivers don't, so their
 * cards are listed without figures, for another reader or LM Studio's survey to fill.
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
    // A driver that hangs keeps its thread: asking it anew would take another one each time.
    const hanging = cards.filter(({ pending }) => pending !== null);
    for (const open of cards) if (open.pending === null) closeCard(open);
    cards = listDrmCards(files).map(
      (card) =>
        hanging.find((open) => open.card.folder === card.folder) ?? {
          card,
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
      return { value: await Promise.all(cards.map((card) => readCard(card, clock))) };
    },
    close,
  };
}

function closeCard({ amd }: OpenCard): void {
  for (const file of Object.values(amd?.files ?? {})) file.close();
}

function openAmd(tree: FileTree, card: DrmCard): AmdCard | null {
  if (card.vendor !== 'amd') return null;
  const keep = (name: AmdFile): KeptFile => tree.keep(`${card.folder}/${AMD_FILES[name]}`);
  const product = tree.readText(`${card.folder}/product_name`)?.trim() ?? '';
  return {
    name: product === '' ? null : product,
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
 * amdgpu hides the load of the memory controller and of the PCIe link for APUs (amdgpu_pm.c), but the
 * former for Vega 10 cards too; and the CPU sees all of an APU's carve-out.
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

async function readCard(open: OpenCard, clock: Clock): Promise<GpuReading> {
  const { card, amd } = open;
  if (amd === null) return withoutFigures(card);
  const base = { ...withoutFigures(card), name: amd.name };
  open.pending ??= readAmd(amd).finally(() => {
    open.pending = null;
  });
  const figures = await raceDeadline(open.pending, PATIENCE_MS, clock);
  if (figures === TIMED_OUT) {
    return { ...base, reasons: [`its driver did not answer within ${PATIENCE_MS} ms`] };
  }
  const memory = classifyAmd({ ...figures, integrated: amd.integrated });
  const known = memory.availableBytes !== null;
  return {
    ...base,
    ...memory,
    utilizationRatio: figures.utilizationRatio,
    readAtMonotonicMs: known ? clock.monotonicMs() : null,
    reasons: known ? [] : ['its driver shows no mem_info_vram_total or no mem_info_vram_used'],
  };
}

async function readAmd({ files }: AmdCard) {
  const number = async (name: AmdFile): Promise<number | null> => {
    const text = (await files[name].readLater())?.trim() ?? '';
    return /^\d+$/.test(text) ? Number(text) : null;
  };
  // Asking a card that sleeps how busy it is would wake it, and keep it awake.
  const asleep = (await files.runtimeStatus.readLater())?.trim() === 'suspended';
  // One after the other: where the driver hangs, one thread of the pool does and not all of them.
  const vramTotalBytes = await number('vramTotal');
  const vramUsedBytes = await number('vramUsed');
  const gttTotalBytes = await number('gttTotal');
  const gttUsedBytes = await number('gttUsed');
  const busyPercent = asleep ? 0 : await number('busyPercent');
  const utilizationRatio = busyPercent === null ? null : busyPercent / 100;
  return { vramTotalBytes, vramUsedBytes, gttTotalBytes, gttUsedBytes, utilizationRatio };
}

function withoutFigures(card: DrmCard): GpuReading {
  const integrated = isIntegratedIntel(card);
  const reason =
    card.vendor === 'nvidia'
      ? `its driver (${card.driver ?? 'none loaded'}) shows no memory in sysfs`
      : `the ${card.driver ?? 'missing'} driver shows no memory in sysfs`;
  return {
    deviceKey: `pci:${card.pciAddress ?? card.folder.split('/')[4] ?? ''}`,
    pciAddress: card.pciAddress,
    totalIsEstimate: false,
    name: null,
    pciId: card.pciId,
    vendor: card.vendor,
    kind: integrated ? 'integrated' : 'discrete',
    memory: integrated ? 'shared' : 'dedicated',
    totalBytes: null,
    usedBytes: null,
    availableBytes: null,
    utilizationRatio: null,
    processes: null,
    readAtMonotonicMs: null,
    reasons: [reason],
  };
}

/** Intel's integrated graphics has been device 2 of the root bus since it exists; cards never are. */
function isIntegratedIntel({ vendor, pciAddress }: DrmCard): boolean {
  return vendor === 'intel' && pciAddress === '0000:00:02.0';
}
