/**
 * A script for Windows PowerShell 5.1, which every Windows has. It answers each line on stdin with one line of
 * JSON and ends when stdin closes, so it never outlives its parent. It is long-lived because a start takes most
 * of a second. It reads WMI classes and the registry, because the names of performance counters are translated.
 * It uses single quotes only, because the text is one argument of a command line.
 *
 * - `Win32_PerfRawData_PerfOS_Memory`: the commit charge and its limit.
 * - `HKLM:\SOFTWARE\Microsoft\DirectX`: each adapter's memory in 64 bits (AdapterRAM of Win32_VideoController
 *   has 32) and its LUID, by which the counters identify it.
 * - `Win32_PerfFormattedData_GPUPerformanceCounters_GPUAdapterMemory`: how much of each adapter's memory is in
 *   use.
 */
const POWERSHELL_SCRIPT = [
  "$ErrorActionPreference = 'SilentlyContinue'",
  "$ProgressPreference = 'SilentlyContinue'",
  '[Console]::OutputEncoding = New-Object Text.UTF8Encoding $false',
  'while ($null -ne ($line = [Console]::In.ReadLine())) {',
  '$out = @{ id = $line }',
  '$m = Get-CimInstance Win32_PerfRawData_PerfOS_Memory -Property CommittedBytes,CommitLimit',
  'if ($m) { $out.commit = @([string]$m.CommittedBytes, [string]$m.CommitLimit) }',
  '$out.pageFiles = @(Get-CimInstance Win32_PageFileUsage -Property AllocatedBaseSize,CurrentUsage | ForEach-Object { ,@($_.AllocatedBaseSize, $_.CurrentUsage) })',
  "$out.adapters = @(Get-ChildItem 'HKLM:\\SOFTWARE\\Microsoft\\DirectX' | ForEach-Object { Get-ItemProperty $_.PSPath } | Where-Object { $_.Description } | ForEach-Object { @{ name = $_.Description; vendor = $_.VendorId; device = $_.DeviceId; luid = [string]$_.AdapterLuid; dedicated = [string]$_.DedicatedVideoMemory; shared = [string]$_.SharedSystemMemory } })",
  '$out.usage = @(Get-CimInstance Win32_PerfFormattedData_GPUPerformanceCounters_GPUAdapterMemory -Property Name,DedicatedUsage,SharedUsage | ForEach-Object { @{ name = $_.Name; dedicated = [string]$_.DedicatedUsage; shared = [string]$_.SharedUsage } })',
  '$b = Get-CimInstance Win32_Battery -Property BatteryStatus,EstimatedChargeRemaining | Select-Object -First 1',
  '$out.battery = if ($b) { @($b.BatteryStatus, $b.EstimatedChargeRemaining) } else { $null }',
  "if ($line.EndsWith('p')) { $out.processes = @(Get-CimInstance Win32_Process -Property ProcessId,ParentProcessId,Name,KernelModeTime,UserModeTime,WorkingSetSize | ForEach-Object { ,@($_.ProcessId, $_.ParentProcessId, $_.Name, [string]($_.KernelModeTime + $_.UserModeTime), [string]$_.WorkingSetSize) }) }",
  '[Console]::Out.WriteLine(($out | ConvertTo-Json -Compress -Depth 4))',
  '}',
].join('\n');

/** The arguments of powershell.exe. */
export const POWERSHELL_ARGUMENTS = [
  '-NoProfile',
  '-NonInteractive',
  '-NoLogo',
  '-Command',
  POWERSHELL_SCRIPT,
] as const;
