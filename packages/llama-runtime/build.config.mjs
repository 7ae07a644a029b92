export default {
  // The runtime starts one of these processes for each loaded model, and looks for the script beside its bundle.
  entries: { 'engine-child': 'src/engine/engine-child.ts' },
};
