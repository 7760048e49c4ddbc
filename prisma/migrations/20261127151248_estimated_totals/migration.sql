-- AlterTable
ALTER TABLE "job" ADD COLUMN     "estimated_total" BIGINT;
