/** Two engines and the server fit in a container of 2 GiB. */
export const DEFAULT_MEMORY_MEGABYTES = 768;

export const DEFAULT_DISK_MEGABYTES = 8_000;
