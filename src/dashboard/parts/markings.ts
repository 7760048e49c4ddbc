/** The classification markings as options of a select, from the lowest to the highest. */
export const MARKING_OPTIONS = ['UNCLASSIFIED', 'CUI', 'CONFIDENTIAL', 'SECRET', 'TOP SECRET'].map(
  (marking) => ({ value: marking, label: marking }),
);
