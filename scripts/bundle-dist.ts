// Part of npm run build, after tsc: bundles the compiled modules and the parts of their dependencies that they use. A user
// then installs 14 packages instead of 279, and a start loads 550 modules instead of 1,850. The dependencies that are left are
// native, load files or threads of their own, or, like zod, are shared with plug-ins.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { constants, zstdCompressSync } from 'node:zlib';
import { type Plugin, rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'node_modules/.cache/compiled');
const dist = join(root, 'dist');

/** What is started, or imported by its path. */
const ENTRIES = [
  ...['index', 'testing', 'main', 'blade-ingestion', 'command-line/main', 'keys', 'backups'],
  ...['ingestion/partition-thread', 'warehouse/duckdb/engine-process', 'database/embedded/server-thread'],
];

const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>;
};
const external = Object.keys(dependencies);

/** Has each module find its files relative to where it was compiled to, whatever chunk it is in. */
const keepModuleUrls: Plugin = {
  name: 'keep-module-urls',
  transform(code, id) {
    if (!id.startsWith(compiled)) return null;
    if (/import\.meta\.(?:dirname|filename)/.test(code))
      throw new Error(`${id} must use import.meta.url: the folder of a bundled module is another one`);
    const path = relative(compiled, id).split(sep).join('/');
    // Without this line, `require` is the bundler's.
    return code
      .replace('const require = createRequire(import.meta.url);', '')
      .replaceAll('import.meta.url', `__MODULE_URL__(${JSON.stringify(path)})`);
  },
  renderChunk(code, { fileName }) {
    return code.replaceAll(/__MODULE_URL__\("([^"]+)"\)/g, (_call, path: string) => {
      const from = posix.relative(posix.dirname(fileName), path);
      return `new URL(${JSON.stringify(from.startsWith('.') ? from : `./${from}`)}, import.meta.url).href`;
    });
  },
};

/** What the Databricks driver requires, and uses only for what we never ask of it: its kernel, browsers, proxies, its log. */
const UNUSED =
  /^(?:@databricks\/databricks-sql-kernel-.*|\.\.\/\.\.\/native\/kernel|open|openid-client|proxy-agent|winston)$/;

const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  resolveId: (source, importer) =>
    UNUSED.test(source) && importer?.includes('@databricks') ? '\0unused' : null,
  load: (id) => (id === '\0unused' ? 'module.exports = {};' : null),
};

const SMALLEST = { params: { [constants.ZSTD_c_compressionLevel]: 19 } };

/** Large texts of dependencies, by their packages' modules, which are kept compressed: they are loaded seldom, or as fast. */
const LARGE_TEXTS = /render-graphiql\/esm\/graphiql\.js$|\.wasm-base64\.mjs$/;

const compressTexts: Plugin = {
  name: 'compress-texts',
  async load(id) {
    if (!LARGE_TEXTS.test(id.replaceAll('\\', '/'))) return null;
    const texts: object = { ...(await import(pathToFileURL(id).href)) };
    const file = this.emitFile({
      type: 'asset',
      name: `${basename(id, extname(id))}.json.zst`,
      source: zstdCompressSync(JSON.stringify(texts), SMALLEST),
    });
    const read = `JSON.parse(
        zstdDecompressSync(readFileSync(new URL(import.meta.ROLLDOWN_FILE_URL_${file}))).toString(),
      )`;
    // Prisma's compiler is read from its text once, which would stay in memory.
    const exported = id.endsWith('.mjs')
      ? `export const wasm = { [Symbol.toPrimitive]: () => ${read}.wasm };`
      : `export const { ${Object.keys(texts).join(', ')} } = ${read};`;
    return `import { readFileSync } from 'node:fs';
      import { zstdDecompressSync } from 'node:zlib';
      ${exported}`;
  },
};

/** Escapes what is not Latin-1: for one such character, V8 keeps all of a file in twice the memory. */
const escapeWideCharacters: Plugin = {
  name: 'escape-wide-characters',
  renderChunk(code) {
    return code.replaceAll(/(\\*)([\u0100-\uffff])/g, (_found, backslashes: string, character: string) => {
      const escaped = `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
      // Of an odd number, the last one already escapes the character, to itself.
      return backslashes.slice(backslashes.length % 2) + escaped;
    });
  },
};

const bundle = await rolldown({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(compiled, `${entry}.js`)])),
  platform: 'node',
  // Optional parts of `pg` and `ws` that are not installed.
  external: (id) =>
    ['pg-native', 'bufferutil', 'utf-8-validate', ...external].some(
      (name) => id === name || id.startsWith(`${name}/`),
    ),
  plugins: [keepModuleUrls, leaveOutUnused, compressTexts, escapeWideCharacters],
});
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'modules/[name]-[hash].js',
  assetFileNames: 'modules/[name]-[hash][extname]',
  // Names show in stacks and in messages of errors.
  minify: false,
  keepNames: true,
  // Packages have code of others in them, whose licenses stand nowhere else.
  comments: { legal: true, annotation: false, jsdoc: false },
});
await bundle.close();
await writeLicenses(new Set(output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))));

/** Writes the licenses of the bundled packages, which must go with their code. */
async function writeLicenses(modules: ReadonlySet<string>): Promise<void> {
  const folders = new Set<string>();
  for (const id of modules) {
    const [, folder] = /^(.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/.exec(id) ?? [];
    if (folder !== undefined && !id.startsWith(compiled)) folders.add(folder);
  }
  const texts = await Promise.all([...folders].sort().map(describeLicense));
  await writeFile(join(dist, 'bundled-licenses.txt'), texts.join('\n\n'));
}

async function describeLicense(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  // The Apache License asks for the notice, too.
  const files = (await readdir(folder)).filter((file) => /^(?:licen[cs]e|notice)(?:\.|$)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return [`# ${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join('\n\n');
}
