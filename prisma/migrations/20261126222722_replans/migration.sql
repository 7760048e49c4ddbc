-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "replans" INTEGER NOT NULL DEFAULT 0;
