import type { Machine } from './machine.js';

const GIB = 1024 ** 3;

/** MacBook Pro with M1 Pro and 16 GB, with much compressed memory. The GPU figures are from an M4. */
export const appleSilicon: Machine = {
  name: 'Mac with M1 Pro',
  sources: [
    'vm_stat, vm.swapusage: a published transcript of a terminal session on a MacBookPro18,1 with macOS 15.7.5, 28 May 2026 (text 70142943744 of the code index that it was found in, which keeps no repository)',
    'ioreg: an Apple M4, quoted as verbatim in a test (text 70245659596 of that index)',
    'https://github.com/osaurus-ai/osaurus/pull/1958 (iogpu.wired_limit_mb is 0 unless set)',
  ],
  synthetic: false,
  platform: 'darwin',
  memory: { totalBytes: 17179869184, freeBytes: 4518 * 16384 },
  commands: [
    {
      program: 'vm_stat',
      stdout: `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                4518.
Pages active:                            194947.
Pages inactive:                          191193.
Pages speculative:                         3014.
Pages throttled:                              0.
Pages wired down:                        159117.
Pages purgeable:                            630.
"Translation faults":                 574921966.
Pages copy-on-write:                   38671927.
Pages zero filled:                    320571840.
Pages reactivated:                     75978152.
Pages purged:                          16666917.
File-backed pages:                       141843.
Anonymous pages:                         247311.
Pages stored in compressor:             1022243.
Pages occupied by compressor:            454496.
Decompressions:                        73011127.
Compressions:                          92304380.
Pageins:                                7854456.
Pageouts:                                320741.
Swapins:                                 470789.
Swapouts:                                929703.
`,
    },
    {
      program: 'sysctl',
      // sysctl(8) fails because this system does not know one of the names, and prints the values of all other
      // names.
      exitCode: 1,
      stdout:
        'vm.swapusage: total = 2048.00M  used = 1470.06M  free = 577.94M  (encrypted)\n' +
        'kern.memorystatus_vm_pressure_level: 2\niogpu.wired_limit_mb: 0\n',
    },
    {
      program: 'ioreg',
      stdout: `+-o AGXAcceleratorG16G  <class AGXAcceleratorG16G, id 0x10000050b, registered, matched, active, busy 0 (655 ms), retain 51>
    {
      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Alloc system memory"=1574862848,"Tiler Utilization %"=20,"recoveryCount"=0,"Renderer Utilization %"=19,"TiledSceneBytes"=1605632,"Device Utilization %"=21,"SplitSceneCount"=0,"In use system memory"=351141888}
      "model" = "Apple M4"
      "gpu-core-count" = 10
    }
`,
    },
    {
      program: 'pmset',
      stdout:
        "Now drawing from 'AC Power'\n -InternalBattery-0 (id=22937699)\t100%; charged; 0:00 remaining present: true\n",
    },
  ],
};

/** A virtual Mac on Apple silicon, as the runners of GitHub. */
export const virtualMac: Machine = {
  name: 'virtual Mac on Apple silicon',
  sources: [
    'https://github.com/actions/runner-images/issues/9918 (7 GB; the limit of its GPU)',
    'ioreg: class and name of the accelerator, quoted in tests of two programs (texts 69262257336 and 60077719149 of the code index that they were found in, which keeps no repository)',
    'vm_stat: invented',
  ],
  synthetic: true,
  platform: 'darwin',
  memory: { totalBytes: 7 * GIB, freeBytes: 100_000 * 16384 },
  commands: [
    {
      program: 'vm_stat',
      stdout: `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                              100000.
Pages active:                             50000.
Pages inactive:                           50000.
Pages speculative:                         1000.
Pages throttled:                              0.
Pages wired down:                         60000.
Pages purgeable:                              0.
"Translation faults":                    574921.
Pages copy-on-write:                      38671.
Pages zero filled:                       320571.
Pages reactivated:                            0.
Pages purged:                                 0.
File-backed pages:                        60000.
Anonymous pages:                          41000.
Pages stored in compressor:                   0.
Pages occupied by compressor:                 0.
`,
    },
    {
      program: 'ioreg',
      stdout: `+-o AppleParavirtGPU  <class AppleParavirtGPU, id 0x100000abc, registered, matched, active, busy 0 (0 ms), retain 5>
    {
      "MetalPluginName" = "AppleParavirtGPUMetalIOGPUFamily"
      "IOClass" = "AppleParavirtGPU"
    }
`,
    },
  ],
};

/** A Mac with 32 GB and an integrated Intel GPU, freshly started. */
export const intelMac: Machine = {
  name: 'Mac with Intel',
  sources: [
    'https://github.com/wazuh/wazuh/issues/22113 (vm_stat)',
    'https://github.com/exelban/stats/issues/649 (ioreg of an Intel GPU: class and id)',
  ],
  synthetic: false,
  platform: 'darwin',
  memory: { totalBytes: 32 * GIB, freeBytes: 6127229 * 4096 },
  commands: [
    {
      program: 'vm_stat',
      stdout: `Mach Virtual Memory Statistics: (page size of 4096 bytes)
Pages free:                             6127229.
Pages active:                            485320.
Pages inactive:                          628646.
Pages speculative:                       430715.
Pages throttled:                              0.
Pages wired down:                        715958.
Pages purgeable:                          11820.
"Translation faults":                  11477162.
Pages copy-on-write:                     356264.
Pages zero filled:                      7628050.
Pages reactivated:                         9561.
Pages purged:                              1423.
File-backed pages:                      1080348.
Anonymous pages:                         464333.
Pages stored in compressor:                   0.
Pages occupied by compressor:                 0.
Decompressions:                               0.
Compressions:                                 0.
Pageins:                                 280307.
Pageouts:                                     0.
Swapins:                                      0.
Swapouts:                                     0.
`,
    },
    {
      program: 'ioreg',
      stdout: `+-o IntelAccelerator  <class IntelAccelerator, id 0x100000412, registered, matched, active, busy 0 (14 ms), retain 106>
    {
      "IODVDBundleName" = "AppleIntelICLGraphicsVADriver"
      "MetalPluginName" = "AppleIntelICLGraphicsMTLDriver"
    }
`,
    },
  ],
};

/** A MacBook Pro with 2 GB and Mac OS X 10.6, which has no memory compressor. */
export const oldMac: Machine = {
  name: 'Mac with Mac OS X 10.6',
  sources: [
    'https://newbetuts.com/81581-why-does-free-active-inactive-speculative-wired-not-equal-total-ram (vm_stat)',
  ],
  synthetic: false,
  platform: 'darwin',
  memory: { totalBytes: 2 * GIB, freeBytes: 90518 * 4096 },
  commands: [
    {
      program: 'vm_stat',
      stdout: `Mach Virtual Memory Statistics: (page size of 4096 bytes)
Pages free:                               90518.
Pages active:                            205479.
Pages inactive:                           32417.
Pages speculative:                       134461.
Pages wired down:                         61009.
"Translation faults":                  26323651.
Pageins:                                 388108.
Pageouts:                                     0.
`,
    },
  ],
};
