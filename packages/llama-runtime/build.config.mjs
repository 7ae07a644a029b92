export default {
  // The programs of the child processes. The runtime looks for them beside its bundle: `engine-child` loads and serves
  // one model, `inspect-child` names devices and reads the headers of files.
  entries: {
    'engine-child': 'src/programs/engine-child.ts',
    'inspect-child': 'src/programs/inspect-child.ts',
  },
};
