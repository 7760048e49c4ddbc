-- Written by hand: what prisma/schema.prisma cannot say. The indexes also say which items are deleted, so that a count of the
-- others need not look at each.
DROP INDEX "blade_item_marking_source_key_idx";
CREATE INDEX "blade_item_marking_source_key_idx"
    ON "blade_item" ("classification_marking", "data_source_id", "data_type" COLLATE "POSIX", "item_id" COLLATE "POSIX")
    INCLUDE ("deleted_at") WHERE "data_source_id" IS NOT NULL;
DROP INDEX "blade_item_marking_key_idx";
CREATE INDEX "blade_item_marking_key_idx"
    ON "blade_item" ("classification_marking", "data_type" COLLATE "POSIX", "item_id" COLLATE "POSIX")
    INCLUDE ("deleted_at") WHERE "data_source_id" IS NULL;

-- Few items have a floor, and those are looked for again and again.
CREATE INDEX "blade_item_with_floor_idx" ON "blade_item" ("upload_batch_id") WHERE "floor_marking" IS NOT NULL;
