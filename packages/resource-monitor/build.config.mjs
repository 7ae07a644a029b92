export default {
  entries: { 'inventory-child': 'src/inventory/systeminformation-child.ts' },
};
