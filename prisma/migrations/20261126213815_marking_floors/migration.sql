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

-- The highest of some markings; the first of those that ask for the same clearance.
CREATE FUNCTION "blade_highest_marking"(markings text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT marking FROM unnest(markings) WITH ORDINALITY AS stated (marking, place)
    WHERE marking IS NOT NULL ORDER BY public.blade_marking_level(marking) DESC, place LIMIT 1
$$;

-- What becomes of an item's markings when a source brings it in.
CREATE FUNCTION "blade_source_markings"(
    stored blade_item, source uuid, marking text, may_fall boolean,
    OUT effective text, OUT own text, OUT others jsonb, OUT is_kept boolean
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    own_before text := coalesce(stored.row_marking, stored.classification_marking);
BEGIN
    others := coalesce(stored.other_markings, '{}') - coalesce(source::text, '');
    -- The item becomes this source's where nobody else stands by its marking: no source has brought it in yet, or the one
    -- that has is deleted.
    IF stored.data_source_id IS NOT DISTINCT FROM source OR source IS NULL OR NOT stored.metadata ? 'source_table'
        OR NOT EXISTS (SELECT FROM public.data_source WHERE id = stored.data_source_id) THEN
        own_before := public.blade_highest_marking(ARRAY[own_before, stored.other_markings ->> source::text]);
    ELSE
        others := others || jsonb_build_object(stored.data_source_id, own_before);
        own_before := stored.other_markings ->> source::text;
    END IF;
    own := CASE WHEN may_fall THEN marking ELSE public.blade_highest_marking(ARRAY[marking, own_before]) END;
    is_kept := public.blade_marking_level(own) > public.blade_marking_level(marking);
    SELECT jsonb_object_agg(key, value) INTO others FROM jsonb_each(others)
    WHERE EXISTS (SELECT FROM public.data_source WHERE id = key::uuid);
    effective := public.blade_highest_marking(
        ARRAY[own, stored.floor_marking] || ARRAY(SELECT value FROM jsonb_each_text(others)));
    IF public.blade_marking_level(own) = public.blade_marking_level(effective) THEN
        own := NULL;
    END IF;
END;
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

-- Each begins with what holds for nearly all items, since every item that is written is checked.
ALTER TABLE "blade_item"
    ADD CONSTRAINT "blade_item_marking_is_the_highest" CHECK (
        ("row_marking" IS NULL AND "floor_marking" IS NULL AND "other_markings" IS NULL)
        OR "blade_marking_level"("classification_marking") = GREATEST(
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
            THEN "floor_job_id" IS NULL AND "floor_by_id" IS NULL AND "floor_by_name" IS NULL AND "floor_at" IS NULL
                AND "floor_reason" IS NULL
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

-- After the update: before it, the trigger would lock each item of a sync once more.
CREATE TRIGGER "blade_item_guard_floor_update" AFTER UPDATE OF "floor_marking" ON "blade_item"
    FOR EACH ROW WHEN (
        OLD."floor_marking" IS NOT NULL AND (
            NEW."floor_marking" IS NULL
            OR "blade_marking_level"(NEW."floor_marking") < "blade_marking_level"(OLD."floor_marking")
        )
    ) EXECUTE FUNCTION "blade_item_guard_floor"();

CREATE TRIGGER "blade_item_guard_floor_delete" BEFORE DELETE ON "blade_item"
    FOR EACH ROW WHEN (OLD."floor_marking" IS NOT NULL) EXECUTE FUNCTION "blade_item_guard_floor"();
