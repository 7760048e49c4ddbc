#!/usr/bin/env node
// blade: starts, watches and ends jobs from a terminal or a script, through the API.
// As a whole, since an old Node.js does not load a module that names what it does not have.
import nodeModule from 'node:module';
import { checkNodeVersion } from '../shared/old-node.ts';
import { ExitCode } from './exit-code.ts';

const complaint = checkNodeVersion('blade');
if (complaint === null) {
  // Most of what a command takes is the compiling of its code.
  nodeModule.enableCompileCache();
  await import('./run.ts');
} else {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = ExitCode.UNEXPECTED;
}
