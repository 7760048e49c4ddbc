-- AlterEnum
ALTER TYPE "delete_policy" ADD VALUE 'REMOVE';

-- CreateTable
CREATE TABLE "item_removal" (
    "data_type" TEXT NOT NULL,
    "item_id" TEXT NOT NULL,
    "data_source_id" UUID,
    "upload_batch_id" BIGINT,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "sent_at" TIMESTAMPTZ(3),
    "retry_at" TIMESTAMPTZ(3) NOT NULL DEFAULT blade_now(),
    "message" TEXT,

    CONSTRAINT "item_removal_pkey" PRIMARY KEY ("data_type","item_id")
);

-- CreateIndex
CREATE INDEX "item_removal_retry_at_idx" ON "item_removal"("retry_at");

-- CreateIndex
CREATE INDEX "item_removal_data_source_id_idx" ON "item_removal"("data_source_id");

-- Written by hand from here: what prisma/schema.prisma cannot say.

-- What a sync has deleted before does not have to come back.
CREATE OR REPLACE FUNCTION "blade_note_deleted_items"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.data_source s SET item_changes = s.item_changes + 1
    FROM (
        SELECT id FROM public.data_source
        WHERE id IN (SELECT data_source_id FROM deleted WHERE deleted_at IS NULL) ORDER BY id FOR UPDATE
    ) AS changed
    WHERE s.id = changed.id;
    RETURN NULL;
END
$$;
