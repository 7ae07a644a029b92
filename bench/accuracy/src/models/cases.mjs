// The load configurations in which every shape is loaded.
const BASE = {
  context: 2048,
  batch: 512,
  parallel: 1,
  flashAttention: true,
  kvK: 'f16',
  kvV: 'f16',
  swaFull: false,
};

export const CASES = [
  BASE,
  { ...BASE, context: 512, flashAttention: false },
  { ...BASE, context: 8192, flashAttention: false },
  { ...BASE, context: 32768 },
  { ...BASE, parallel: 2 },
  { ...BASE, parallel: 4, context: 1024, flashAttention: false },
  { ...BASE, batch: 128, context: 4096 },
  { ...BASE, kvK: 'q8_0', kvV: 'q8_0' },
  { ...BASE, kvK: 'q8_0', kvV: 'q4_0', context: 4096 },
  { ...BASE, kvK: 'f32', kvV: 'f32' },
  { ...BASE, swaFull: true },
];
