/** The classification markings in full, from the least to the greatest. */
export const markingOptions = ['UNCLASSIFIED', 'CUI', 'CONFIDENTIAL', 'SECRET', 'TOP SECRET'].map(
  (marking) => ({
    value: marking,
    label: marking,
  }),
);
