-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "postponed_facts" JSONB;
