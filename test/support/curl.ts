import { spawnSync } from 'node:child_process';

/** Whether this machine has curl. */
export const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** Why tests of curl are skipped, for their names. */
export const needsCurl = hasCurl ? '' : ' (skipped: there is no curl on this machine)';
