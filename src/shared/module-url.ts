/**
 * Finds the URL of a module for a thread to start with. Its extension is that of the module that asks: `.ts` in the
 * sources, `.js` in the compiled package.
 * @param path from that module, without the extension, such as `./partition-thread`.
 * @param besides that module's `import.meta.url`.
 */
export function moduleUrl(path: string, besides: string): URL {
  return new URL(`${path}${besides.endsWith('.ts') ? '.ts' : '.js'}`, besides);
}
