/** How many entries a page of a list has unless a client says so. */
export const DEFAULT_PAGE_SIZE = 20;

/** How many a page has at most, whatever a client says. */
export const MAX_PAGE_SIZE = 200;
