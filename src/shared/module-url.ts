/**
 * The address of a module beside another one, for a thread to start with: it ends as the other's does, which is `.ts` in
 * the sources and `.js` in the compiled package.
 * @param path from the other module to it, without its ending, such as `./partition-thread`.
 * @param besides the other module's `import.meta.url`.
 */
export function moduleUrl(path: string, besides: string): URL {
  return new URL(`${path}${besides.endsWith('.ts') ? '.ts' : '.js'}`, besides);
}
