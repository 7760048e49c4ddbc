#!/usr/bin/env node
// blade: starts, watches and ends jobs from a terminal or a script, through the API.
import { complaintOfOldNode } from '../old-node.ts';
import { ExitCode } from './exit-code.ts';

const complaint = complaintOfOldNode('blade');
if (complaint === null) await import('./run.ts');
else {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = ExitCode.UNEXPECTED;
}
