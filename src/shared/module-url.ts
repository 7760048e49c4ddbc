/**
 * Resolves the URL of a module that a thread starts with. It has the extension of the calling module: `.ts` in the sources,
 * `.js` in the compiled package.
 * @param path relative to the calling module, without extension, such as `./partition-thread`.
 * @param besides the `import.meta.url` of the calling module.
 */
export function resolveModuleUrl(path: string, besides: string): URL {
  return new URL(`${path}${besides.endsWith('.ts') ? '.ts' : '.js'}`, besides);
}
