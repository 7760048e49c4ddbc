-- A function in SQL is parsed and planned into each statement that checks a constraint with it; one in PL/pgSQL is kept by the
-- session.
CREATE OR REPLACE FUNCTION "blade_levels_add_up"(levels bigint[], total bigint) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN cardinality(levels) = 5 AND levels[1] + levels[2] + levels[3] + levels[4] + levels[5] = total;
END;
$$;

CREATE OR REPLACE FUNCTION "blade_changes_fit"(inserted bigint[], updated bigint[], success bigint[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (inserted = '{}' AND updated = '{}') OR coalesce(cardinality(inserted) = 5 AND cardinality(updated) = 5
        AND 0 <= ALL (inserted) AND 0 <= ALL (updated)
        AND inserted[1] + updated[1] <= success[1] AND inserted[2] + updated[2] <= success[2]
        AND inserted[3] + updated[3] <= success[3] AND inserted[4] + updated[4] <= success[4]
        AND inserted[5] + updated[5] <= success[5], false);
END;
$$;

-- As before, with one query for the last event and the one that makes room, and none where there is room.
CREATE OR REPLACE FUNCTION "blade_add_job_event"(
    of_job uuid, kind "job_event_kind", source_name text DEFAULT NULL, by_id text DEFAULT NULL, by_name text DEFAULT NULL,
    reason text DEFAULT NULL, reason_marking text DEFAULT NULL, data jsonb DEFAULT '{}', marking text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    most CONSTANT int := 2000;
    job_marking text;
    last text;
    last_to_go uuid;
    last_of_session text := nullif(current_setting('blade.last_id', true), '');
BEGIN
    SELECT j.marking INTO job_marking FROM job j WHERE j.id = of_job FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT replace((SELECT e.id FROM job_event e WHERE e.job_id = of_job ORDER BY e.id DESC LIMIT 1)::text, '-', ''),
        (SELECT e.id FROM job_event e WHERE e.job_id = of_job ORDER BY e.id DESC OFFSET most - 1 LIMIT 1)
    INTO last, last_to_go;
    IF last IS NOT NULL AND (last_of_session IS NULL OR last_of_session COLLATE "C" < last) THEN
        last_of_session := set_config('blade.last_id', last, false);
    END IF;
    INSERT INTO job_event (id, job_id, kind, source_name, by_id, by_name, reason, reason_marking, data, marking)
    VALUES (blade_new_id(), of_job, kind, source_name, by_id, by_name, reason,
        CASE WHEN reason IS NOT NULL THEN coalesce(reason_marking, job_marking) END, data, coalesce(marking, job_marking));
    IF last_to_go IS NOT NULL THEN
        DELETE FROM job_event e WHERE e.job_id = of_job AND e.id <= last_to_go;
    END IF;
    PERFORM pg_notify('blade_job_event', of_job::text);
END;
$$;
