-- AlterTable
ALTER TABLE "blade_item" ADD COLUMN     "floor_at" TIMESTAMPTZ(3),
ADD COLUMN     "floor_by_id" TEXT,
ADD COLUMN     "floor_by_name" TEXT,
ADD COLUMN     "floor_job_id" UUID,
ADD COLUMN     "floor_marking" TEXT,
ADD COLUMN     "floor_reason" TEXT,
ADD COLUMN     "is_marking_stated" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "other_markings" JSONB,
ADD COLUMN     "query_marking" TEXT,
ADD COLUMN     "query_metadata" JSONB,
ADD COLUMN     "row_marking" TEXT;

-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "first_name" TEXT;

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "reason" TEXT;

-- Written by hand from here: what prisma/schema.prisma cannot say.

-- How high a clearance a marking asks for, as clearanceOf in src/data-types/marking.ts; what is no marking is the highest.
CREATE FUNCTION "blade_marking_level"(marking text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE marking
        WHEN 'U' THEN 0 WHEN 'UNCLASSIFIED' THEN 0 WHEN 'CUI' THEN 1 WHEN 'C' THEN 2 WHEN 'CONFIDENTIAL' THEN 2
        WHEN 'S' THEN 3 WHEN 'SECRET' THEN 3 ELSE 4
    END
$$;

CREATE FUNCTION "blade_highest_level"(markings jsonb) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT max(public.blade_marking_level(value)) FROM jsonb_each_text(markings)
$$;

-- The effective marking of an item: that of its row unless the floor or another source asks for a higher clearance.
CREATE FUNCTION "blade_effective_marking"(own text, floor text, others jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT marking FROM (
        SELECT own AS marking, 0 AS place UNION ALL SELECT floor, 1
        UNION ALL SELECT value, 2 FROM jsonb_each_text(coalesce(others, '{}'))
    ) AS stated
    WHERE marking IS NOT NULL ORDER BY public.blade_marking_level(marking) DESC, place LIMIT 1
$$;

-- What sources state that are still there: nobody could change the word of one that has been deleted.
CREATE FUNCTION "blade_standing_markings"(markings jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_object_agg(key, value) FROM jsonb_each(markings)
    WHERE EXISTS (SELECT FROM public.data_source WHERE id = key::uuid)
$$;

-- Items that query jobs have marked. What the jobs added moves beside what the sources say, and their markings stay.
UPDATE "blade_item" SET
    "query_metadata" = "metadata" - 'data_source',
    "query_marking" = "classification_marking",
    "metadata" = jsonb_strip_nulls(jsonb_build_object('data_source', "metadata" -> 'data_source'))
WHERE "metadata" ? 'query_job_id';

WITH "raised" AS (
    SELECT "item".*, "job"."id" AS "known_job_id", "job"."started_by_id", "job"."started_by_name",
        upper(coalesce(
            nullif(btrim("data" ->> 'classification_marking'), ''), nullif(btrim("data" ->> 'classification'), ''),
            CASE "item"."data_type" WHEN 'maintenance' THEN 'UNCLASSIFIED' WHEN 'logistics' THEN 'UNCLASSIFIED'
                WHEN 'sortie' THEN 'CONFIDENTIAL' WHEN 'deployment' THEN 'SECRET' END
        )) AS "stated"
    FROM "blade_item" "item" LEFT JOIN "job" ON "job"."id" = "item"."job_id"
    WHERE "query_metadata" IS NOT NULL AND "blade_marking_level"("classification_marking") > 0
)
UPDATE "blade_item" "item" SET
    "row_marking" = CASE WHEN "stated" IS NOT NULL
        AND "blade_marking_level"("stated") < "blade_marking_level"("raised"."classification_marking") THEN "stated" END,
    "floor_marking" = "raised"."classification_marking",
    "floor_job_id" = "known_job_id", "floor_by_id" = "started_by_id", "floor_by_name" = "started_by_name",
    "floor_at" = "raised"."updated_at",
    "floor_reason" = 'A query job marked it so before reasons were kept'
FROM "raised" WHERE "item"."data_type" = "raised"."data_type" AND "item"."item_id" = "raised"."item_id";

ALTER TABLE "blade_item"
    ADD CONSTRAINT "blade_item_marking_is_the_highest" CHECK (
        "blade_marking_level"("classification_marking") = GREATEST(
            "blade_marking_level"(COALESCE("row_marking", "classification_marking")),
            CASE WHEN "floor_marking" IS NOT NULL THEN "blade_marking_level"("floor_marking") END,
            CASE WHEN "other_markings" IS NOT NULL THEN "blade_highest_level"("other_markings") END
        )
    ),
    ADD CONSTRAINT "blade_item_row_marking_is_lower" CHECK (
        "row_marking" IS NULL OR "blade_marking_level"("row_marking") < "blade_marking_level"("classification_marking")
    ),
    ADD CONSTRAINT "blade_item_floor_says_when_and_why" CHECK (
        CASE WHEN "floor_marking" IS NULL
            THEN COALESCE("floor_job_id"::text, "floor_by_id", "floor_by_name", "floor_at"::text, "floor_reason") IS NULL
            ELSE "blade_marking_level"("floor_marking") > 0 AND "floor_at" IS NOT NULL AND "floor_reason" IS NOT NULL
        END
    ),
    ADD CONSTRAINT "blade_item_floor_covers_query_metadata" CHECK (
        CASE WHEN "query_metadata" IS NULL THEN "query_marking" IS NULL
            ELSE "query_marking" IS NOT NULL AND "blade_marking_level"("query_marking")
                <= CASE WHEN "floor_marking" IS NULL THEN 0 ELSE "blade_marking_level"("floor_marking") END
        END
    );

-- A floor is lowered by a transaction that names its item, and by nothing else.
CREATE FUNCTION "blade_item_guard_floor"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('blade.lowers_marking_of', true) = OLD.data_type || '/' || OLD.item_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The marking of % item % was raised to %: it has to be lowered first', OLD.data_type, OLD.item_id,
        OLD.floor_marking USING ERRCODE = 'check_violation', TABLE = 'blade_item', CONSTRAINT = 'blade_item_floor_stays';
END;
$$;

CREATE TRIGGER "blade_item_guard_floor_update" BEFORE UPDATE OF "floor_marking" ON "blade_item"
    FOR EACH ROW WHEN (
        OLD."floor_marking" IS NOT NULL AND (
            NEW."floor_marking" IS NULL
            OR "blade_marking_level"(NEW."floor_marking") < "blade_marking_level"(OLD."floor_marking")
        )
    ) EXECUTE FUNCTION "blade_item_guard_floor"();

CREATE TRIGGER "blade_item_guard_floor_delete" BEFORE DELETE ON "blade_item"
    FOR EACH ROW WHEN (OLD."floor_marking" IS NOT NULL) EXECUTE FUNCTION "blade_item_guard_floor"();
