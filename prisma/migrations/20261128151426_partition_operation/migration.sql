-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "current_operation" TEXT;
