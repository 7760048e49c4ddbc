-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "deletes_settled_at" TIMESTAMPTZ(3);
