import { generationOf, USUAL_RAM_BANDWIDTH, usualRamBandwidth } from './machine-speed.js';

describe('the RAM that is usual beside a GPU', () => {
  test.each([
    ['NVIDIA GeForce GTX 1070', 42.7e9],
    ['GeForce RTX 2060 Laptop GPU', 42.7e9],
    ['Radeon RX 580', 42.7e9],
    ['NVIDIA GeForce RTX 3090', 51.2e9],
    ['Radeon RX 6800 XT', 51.2e9],
    ['GeForce RTX 4070 Laptop GPU', USUAL_RAM_BANDWIDTH],
    ['Radeon RX 7900 XTX', USUAL_RAM_BANDWIDTH],
    ['some GPU', USUAL_RAM_BANDWIDTH],
  ])('%s: %d bytes a second', (name, expected) => {
    expect(usualRamBandwidth(name)).toBe(expected);
  });
});

test.each([
  ['NVIDIA GeForce GTX 1080 Ti', 'pascal'],
  ['Quadro P4000', 'pascal'],
  ['NVIDIA TITAN Xp', 'pascal'],
  ['NVIDIA TITAN V', 'datacenter'],
  ['NVIDIA TITAN RTX', null],
  ['NVIDIA A30', 'datacenter'],
  ['Intel(R) Arc(TM) Pro A30M Graphics', 'arc'],
  ['NVIDIA H200', 'datacenter'],
  ['AMD Radeon VII (RADV VEGA20)', 'datacenter'],
  ['AMD Radeon RX 580 Series (RADV POLARIS10)', 'polaris'],
  ['AMD Radeon RX 5700 XT', null],
  ['AMD Radeon RX 9060', 'rdna4'],
  ['Apple M2 Ultra', 'ultra'],
  ['Tesla K80', 'pascal'],
  ['Tesla M60', 'pascal'],
  ['Tesla M40 24GB', 'pascal'],
  ['Quadro P2200', 'pascal'],
  ['Quadro GP100', 'pascal'],
  ['P106-100', 'pascal'],
  ['NVIDIA GeForce GTX 980M', 'pascal'],
  ['Quadro GV100', 'datacenter'],
  ['NVIDIA CMP 170HX', 'datacenter'],
  ['NVIDIA CMP 90HX', null],
  ['NVIDIA H20-3e', 'datacenter'],
  ['NVIDIA GB300', 'datacenter'],
  ['Radeon Pro VII', 'datacenter'],
  ['NVIDIA RTX A1000', null],
  ['NVIDIA RTX A3000 Laptop GPU', null],
  ['NVIDIA A10', null],
  ['NVIDIA GeForce RTX 3090', null],
])('the group of %s is %s', (name, expected) => {
  expect(generationOf(name)).toBe(expected);
});
