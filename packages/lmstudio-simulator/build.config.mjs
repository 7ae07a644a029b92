export default { entries: { bin: 'src/command-line/bin.ts' } };
