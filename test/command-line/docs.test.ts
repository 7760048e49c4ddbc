import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { exitCodeMeanings } from '../../src/command-line/exit-code.ts';
import { createProgram } from '../../src/command-line/program.ts';
import { runBlade } from '../support/command-line.ts';

const docs = await readFile('docs/command-line.md', 'utf8');
const helps = [...docs.matchAll(/^```text\n(Usage: .*?)```$/gms)].map(([, help]) => help);

/** A command and all that belong to it. */
function withCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withCommands)];
}

/** What a command writes when it is asked for help in a pipe. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    getOutHelpWidth: () => 80,
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

test('docs/command-line.md has the help of every command as it is written, and of no other', () => {
  expect([...helps].sort()).toEqual(withCommands(createProgram()).map(helpOf).sort());
});

test('--help goes to stdout, ends with 0 and lists every exit code', async () => {
  const { code, out, err } = await runBlade(['--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(helps).toContain(out);
  for (const [exitCode, meaning] of Object.entries(exitCodeMeanings)) {
    expect(out).toMatch(new RegExp(`^  ${exitCode} +${meaning.replace(/[()]/g, '\\$&')}$`, 'm'));
  }
});

test('the README leads there', async () => {
  expect(await readFile('README.md', 'utf8')).toContain('(docs/command-line.md)');
});
