-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "statement_handle" TEXT;
