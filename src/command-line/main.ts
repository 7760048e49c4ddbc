#!/usr/bin/env node
// blade: starts, watches and controls jobs from a terminal or a script, through the API.
// The default import, since an old Node.js fails on named imports that it does not have.
import nodeModule from 'node:module';
import { checkNodeVersion } from '../shared/old-node.ts';
import { ExitCode } from './exit-code.ts';

const complaint = checkNodeVersion('blade');
if (complaint === null) {
  // Compiling its code takes most of the time of a command.
  nodeModule.enableCompileCache();
  await import('./run.ts');
} else {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = ExitCode.UNEXPECTED;
}
