-- Statements about rolls (s_enrolments) become spells. Two statements about one child and one school belong to the same spell
-- if they overlap in time, since no child is on one roll twice. So entry dates can be corrected, and a re-entry stays separate.
CREATE TABLE stated AS
SELECT * REPLACE (CASE WHEN leaving_date >= entry_date THEN leaving_date END AS leaving_date), leaving_date AS leaving_date_given,
    coalesce(recorded_on, CASE WHEN clock = 'return' THEN stated_on END) AS recorded,
    greatest(entry_date, coalesce(CASE WHEN leaving_date >= entry_date THEN leaving_date - 1 END, CASE WHEN listed OR clock = 'return' THEN return_date END, recorded_on, entry_date)) AS until
FROM s_enrolments WHERE entry_date IS NOT NULL;
CREATE TABLE mention AS
WITH marked AS (
    SELECT *, coalesce(entry_date > max(until) OVER (PARTITION BY pupil_id, urn ORDER BY entry_date, until, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS fresh
    FROM stated
)
SELECT *, sum(fresh::INT) OVER (PARTITION BY pupil_id, urn ORDER BY entry_date, until, number ROWS UNBOUNDED PRECEDING) AS spell FROM marked;
CREATE TABLE spell AS
WITH spells AS (
    SELECT pupil_id, urn, spell, bool_and(number = 0) AS untouched, min(entry_date) AS earliest, arg_max(entry_date, rank) FILTER (is_current) AS entry_date,
        min(return_date) FILTER (listed) AS first_listed, arg_max(status, rank) FILTER (is_current AND status IS NOT NULL) AS status,
        arg_min(nc_year, rank) FILTER (is_current AND nc_year IS NOT NULL) AS nc_year, min(coalesce(recorded, entry_date)) AS recorded_on,
        CASE WHEN count(leaving_date) > 0 AND arg_max(coalesce(leaving_date, DATE '2999-01-01'), rank) < DATE '2999-01-01' THEN max(leaving_date) END AS closed
    FROM mention GROUP BY pupil_id, urn, spell HAVING bool_or(is_current)
)
SELECT *, lead(earliest) OVER (PARTITION BY pupil_id, urn ORDER BY earliest) AS next_entry FROM spells;
-- A census omits a child listed by an earlier census: the spell ended before census day.
CREATE TABLE absence AS
SELECT s.pupil_id, s.urn, s.spell, c.rank, c.stated_on, greatest(s.entry_date, least(c.return_date, coalesce(s.next_entry, c.return_date)) - 1) AS leaving_date
FROM spell s JOIN census c ON c.urn = s.urn AND c.return_date > s.first_listed
WHERE NOT s.untouched AND NOT EXISTS (FROM mention m WHERE m.pupil_id = s.pupil_id AND m.urn = s.urn AND m.spell = s.spell AND m.number = c.number);
-- A list with ends only (home education, deletions) ends the last spell that had begun by then.
CREATE TABLE ending AS
SELECT p.pupil_id, s.urn, s.spell, p.number, p.urn AS urn_given, p.rank, p.leaving_date, p.leaving_ground, p.destination, p.destination_urn,
    coalesce(p.leaving_recorded_on, p.recorded_on, CASE WHEN p.clock = 'return' THEN p.stated_on END, p.leaving_date) AS recorded
FROM s_enrolments p JOIN spell s ON s.pupil_id = p.pupil_id AND (p.urn IS NULL OR p.urn = s.urn) AND s.entry_date <= p.leaving_date AND (s.closed IS NULL OR s.closed >= p.leaving_date - 366)
WHERE p.entry_date IS NULL AND p.is_current
QUALIFY row_number() OVER (PARTITION BY p.number, p.pupil_id, p.urn, p.leaving_date ORDER BY s.entry_date DESC, s.urn) = 1;
CREATE TABLE unmatched AS
SELECT p.number, p.line FROM s_enrolments p WHERE p.entry_date IS NULL AND p.is_current AND NOT EXISTS (
    FROM ending e WHERE e.number = p.number AND e.pupil_id = p.pupil_id AND e.leaving_date = p.leaving_date AND e.urn_given IS NOT DISTINCT FROM p.urn);
UPDATE spell SET untouched = false WHERE (pupil_id, urn, spell) IN (SELECT (pupil_id, urn, spell) FROM ending);
CREATE TABLE event AS
WITH statements AS (
    SELECT pupil_id, urn, spell, rank, 'mention' AS kind, leaving_date, leaving_ground, destination, destination_urn, coalesce(recorded, entry_date) AS recorded,
        coalesce(leaving_recorded_on, CASE WHEN clock = 'return' THEN stated_on END, leaving_date) AS end_recorded
    FROM mention QUALIFY row_number() OVER (PARTITION BY pupil_id, urn, spell, number ORDER BY leaving_date DESC NULLS LAST, entry_date) = 1
    UNION ALL BY NAME SELECT pupil_id, urn, spell, rank, 'absence' AS kind, leaving_date, stated_on AS recorded, stated_on AS end_recorded FROM absence
    UNION ALL BY NAME SELECT pupil_id, urn, spell, rank, 'ending' AS kind, leaving_date, leaving_ground, destination, destination_urn, recorded, recorded AS end_recorded FROM ending
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY pupil_id, urn, spell ORDER BY rank, kind DESC, leaving_date, destination) AS turn FROM statements
), first_absence AS (
    SELECT * FROM numbered WINDOW w AS (PARTITION BY pupil_id, urn, spell ORDER BY turn)
    QUALIFY kind <> 'absence' OR (lag(kind) OVER w <> 'absence' AND lag(leaving_date) OVER w IS NULL)
), before AS (
    SELECT *, last_value(CASE kind WHEN 'mention' THEN coalesce(leaving_date, DATE '2999-01-01') WHEN 'absence' THEN DATE '2999-01-01' END IGNORE NULLS) OVER w AS stated_end,
        last_value(leaving_ground IGNORE NULLS) OVER w AS ground_before, last_value(destination IGNORE NULLS) OVER w AS destination_before, last_value(destination_urn IGNORE NULLS) OVER w AS urn_before
    FROM first_absence WINDOW w AS (PARTITION BY pupil_id, urn, spell ORDER BY turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT pupil_id, urn, spell, turn, recorded, end_recorded, ended.leaving_date,
    CASE WHEN ended.leaving_date IS NOT NULL THEN coalesce(leaving_ground, ground_before) END AS leaving_ground,
    CASE WHEN ended.leaving_date IS NOT NULL THEN coalesce(destination, destination_before) END AS destination,
    CASE WHEN ended.leaving_date IS NOT NULL THEN coalesce(destination_urn, urn_before) END AS destination_urn
FROM before, LATERAL (SELECT CASE WHEN kind = 'ending' AND stated_end < DATE '2999-01-01' THEN stated_end ELSE before.leaving_date END AS leaving_date) ended;
-- Each change of the stated end is a version: a first end closes the open row, any other change is a correction.
CREATE TABLE out_enrolments AS
WITH changed AS (
    SELECT * FROM event WINDOW w AS (PARTITION BY pupil_id, urn, spell ORDER BY turn)
    QUALIFY row_number() OVER w = 1 OR (leaving_date, leaving_ground, destination, destination_urn) IS DISTINCT FROM
        (lag(leaving_date) OVER w, lag(leaving_ground) OVER w, lag(destination) OVER w, lag(destination_urn) OVER w)
), versions AS (
    SELECT *, sum((leaving_date IS NULL OR lag_end IS NOT NULL OR turn = first_turn)::INT) OVER (PARTITION BY pupil_id, urn, spell ORDER BY turn ROWS UNBOUNDED PRECEDING) AS version
    FROM (SELECT *, lag(leaving_date) OVER w AS lag_end, first_value(turn) OVER w AS first_turn FROM changed WINDOW w AS (PARTITION BY pupil_id, urn, spell ORDER BY turn))
), rows AS (
    SELECT pupil_id, urn, spell, version, arg_min(CASE WHEN leaving_date IS NULL THEN recorded ELSE end_recorded END, turn) AS recorded, max(leaving_date) AS leaving_date, max(leaving_ground) AS leaving_ground,
        max(destination) AS destination, max(destination_urn) AS destination_urn, max(end_recorded) FILTER (leaving_date IS NOT NULL) AS end_recorded
    FROM versions GROUP BY pupil_id, urn, spell, version
), dated AS (
    SELECT s.pupil_id, s.urn, s.entry_date, r.leaving_date, s.status, s.nc_year, r.leaving_ground, r.destination, r.destination_urn, r.version,
        greatest(CASE WHEN r.version = 1 THEN s.recorded_on ELSE r.recorded END, s.entry_date) AS recorded_on, r.end_recorded
    FROM spell s JOIN rows r USING (pupil_id, urn, spell) WHERE NOT s.untouched
)
SELECT * EXCLUDE (version, end_recorded), CASE WHEN leaving_date IS NOT NULL THEN greatest(end_recorded, leaving_date, recorded_on) END AS leaving_recorded_on
FROM dated QUALIFY row_number() OVER (PARTITION BY pupil_id, urn, entry_date, recorded_on ORDER BY version DESC) = 1
UNION ALL BY NAME
SELECT m.pupil_id, m.urn, m.entry_date, m.leaving_date_given AS leaving_date, m.status, m.nc_year, m.leaving_ground, m.destination, m.destination_urn, m.recorded_on, m.leaving_recorded_on
FROM mention m JOIN spell s USING (pupil_id, urn, spell) WHERE s.untouched;
