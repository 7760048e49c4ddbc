import { createBlade } from 'blade-ingestion';

const blade = createBlade({
  config: { ...process.env, BLADE_DATA_FOLDER: './data' },
  plugins: [import.meta.resolve('./blade-fuel/index.ts')],
});
process.once('SIGTERM', () => blade.stop());

const { url } = await blade.start();
process.stdout.write(`GraphQL is at ${url}\n`);
