-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "lookback" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "watermark_type" TEXT;
