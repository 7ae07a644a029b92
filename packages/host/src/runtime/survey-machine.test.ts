import { connect } from '@mai/lmstudio-adapter';
import { startSimulator } from '@mai/lmstudio-simulator';
import { surveyMachine } from './compose-ports.js';

const GIB = 1024 ** 3;

/** The GPUs of an LM Studio on another machine with this RAM. */
async function surveyed(
  ramGiB: number,
  gpu: { readonly memory: 'dedicated' | 'shared'; readonly totalGiB: number },
) {
  const gpus = [{ name: 'GPU', memory: gpu.memory, totalBytes: gpu.totalGiB * GIB }];
  await using simulator = await startSimulator({
    world: { machine: { ramBytes: ramGiB * GIB, gpus } },
  });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const survey = await surveyMachine(client, {});
  return survey.gpus.map(({ memory, totalBytes }) => [memory, (totalBytes ?? NaN) / GIB]);
}

// ROCm/legacy-rocm-build #6004: an APU reports 132 GiB on a machine with 119.5 GiB of RAM.
test.each([
  ['an APU that reports more than all RAM has all RAM', 'shared', 132, 119.5],
  ['an APU that may use a part of RAM has this part', 'shared', 80, 80],
  ['a card keeps memory of its own, which is no RAM', 'dedicated', 132, 132],
] as const)('%s', async (_, memory, reportedGiB, expectedGiB) => {
  expect(await surveyed(119.5, { memory, totalGiB: reportedGiB })).toEqual([[memory, expectedGiB]]);
});
