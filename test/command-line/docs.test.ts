import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { EXIT_CODE_MEANINGS } from '../../src/command-line/exit-code.ts';
import { createProgram } from '../../src/command-line/program.ts';
import { runBlade } from '../support/command-line.ts';

const docs = await readFile('docs/command-line.md', 'utf8');
const helpTexts = [...docs.matchAll(/^```text\n(Usage: .*?)```$/gms)].map(([, help]) => help);

/** Lists a command and its subcommands. */
function listCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(listCommands)];
}

/** Formats the help of a command as in a pipe. */
function formatHelp(command: Command): string {
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

test('docs/command-line.md shows the help of every command', () => {
  expect([...helpTexts].sort()).toEqual(listCommands(createProgram()).map(formatHelp).sort());
});

test('--help writes to stdout, exits with 0 and lists every exit code', async () => {
  const { code, out, err } = await runBlade(['--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(helpTexts).toContain(out);
  for (const [exitCode, meaning] of Object.entries(EXIT_CODE_MEANINGS)) {
    expect(out).toMatch(new RegExp(`^  ${exitCode} +${meaning.replace(/[()]/g, '\\$&')}$`, 'm'));
  }
});

test('the README links to it', async () => {
  expect(await readFile('README.md', 'utf8')).toContain('(docs/command-line.md)');
});
