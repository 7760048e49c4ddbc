/** A chunk of rows of 100 KB takes up to 1.4 GB. Where there is less, the system ends the engine, not the server. */
export const DEFAULT_MEMORY_MEGABYTES = 2000;

export const DEFAULT_DISK_MEGABYTES = 8_000;
