-- The constraints over the altered columns are parsed again, and then call this function.
CREATE FUNCTION "blade_levels_add_up"(levels bigint[], total bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT cardinality(levels) = 5 AND levels[1] + levels[2] + levels[3] + levels[4] + levels[5] = total
$$;

-- A function, because the schema engine never finds a default of a bigint[] equal to the one in the schema.
CREATE FUNCTION "blade_no_counts"() RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
    SELECT '{0, 0, 0, 0, 0}'::bigint[]
$$;

-- AlterTable
ALTER TABLE "data_source" ALTER COLUMN "item_count" SET DATA TYPE BIGINT,
ALTER COLUMN "item_count_by_level" SET DEFAULT "blade_no_counts"(),
ALTER COLUMN "item_count_by_level" SET DATA TYPE BIGINT[];

-- AlterTable
ALTER TABLE "job" ALTER COLUMN "total_items" SET DATA TYPE BIGINT,
ALTER COLUMN "processed_items" SET DATA TYPE BIGINT,
ALTER COLUMN "success_count" SET DATA TYPE BIGINT,
ALTER COLUMN "error_count" SET DATA TYPE BIGINT,
ALTER COLUMN "error_by_level" SET DEFAULT "blade_no_counts"(),
ALTER COLUMN "error_by_level" SET DATA TYPE BIGINT[],
ALTER COLUMN "success_by_level" SET DEFAULT "blade_no_counts"(),
ALTER COLUMN "success_by_level" SET DATA TYPE BIGINT[];

-- AlterTable
ALTER TABLE "job_partition" ALTER COLUMN "total_items" SET DATA TYPE BIGINT,
ALTER COLUMN "read_items" SET DATA TYPE BIGINT,
ALTER COLUMN "processed_items" SET DATA TYPE BIGINT,
ALTER COLUMN "success_count" SET DATA TYPE BIGINT,
ALTER COLUMN "error_count" SET DATA TYPE BIGINT,
ALTER COLUMN "error_by_level" SET DEFAULT "blade_no_counts"(),
ALTER COLUMN "error_by_level" SET DATA TYPE BIGINT[],
ALTER COLUMN "read_by_level" SET DEFAULT "blade_no_counts"(),
ALTER COLUMN "read_by_level" SET DATA TYPE BIGINT[],
ALTER COLUMN "success_by_level" SET DEFAULT "blade_no_counts"(),
ALTER COLUMN "success_by_level" SET DATA TYPE BIGINT[];

DROP FUNCTION "blade_levels_add_up"(integer[], integer);
