-- AlterTable
ALTER TABLE "audit_entry" ADD COLUMN     "marking" TEXT NOT NULL DEFAULT 'UNCLASSIFIED';

-- Written by hand from here: what prisma/schema.prisma cannot say.

-- The marking of a job that is pruned is not known any more.
ALTER TABLE "audit_entry" DISABLE TRIGGER USER;
UPDATE "audit_entry" SET "marking" = coalesce((SELECT j."marking" FROM "job" j WHERE j."id" = "job_id"), 'TOP SECRET')
    WHERE "job_id" IS NOT NULL;
ALTER TABLE "audit_entry" ENABLE TRIGGER USER;
