import type { Prisma, PrismaClient } from '../database/generated/prisma/client.ts';

declare const deletes: unique symbol;

/** A transaction with the time to judge and delete the items of a source. */
export type DeletingTransaction = Prisma.TransactionClient & { readonly [deletes]: true };

/** Runs a transaction that may delete items of whole sources, as the end of a partition and of a job does. */
export function runDeleting<Result>(
  prisma: PrismaClient,
  work: (transaction: DeletingTransaction) => Promise<Result>,
): Promise<Result> {
  return prisma.$transaction((transaction) => work(transaction as DeletingTransaction), {
    timeout: DELETE_TIMEOUT_MS,
  });
}

/** How long it may take, in milliseconds: long enough for millions of items. */
const DELETE_TIMEOUT_MS = 300_000;
