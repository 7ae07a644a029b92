export default { entries: { bin: 'src/bin.ts' } };
