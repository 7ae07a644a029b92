export default {
  entries: {
    main: 'src/main.ts',
    // Beside the bundle, where the resource monitor looks for the script of its inventory.
    'inventory-child': '../../packages/resource-monitor/src/inventory/systeminformation-child.ts',
  },
  formats: ['esm'],
  types: false,
};
