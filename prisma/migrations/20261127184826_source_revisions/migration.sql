-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "revision" INTEGER NOT NULL DEFAULT 1;
