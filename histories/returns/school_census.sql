-- From the tables of the census (text, with the census day) to tables of histories; school_census.py fills the names in braces.
CREATE TABLE roll AS
SELECT p.pupil_id, r.upn, r.nativeid AS urn, r.id, r.day, r.line, r.left_roll, {day_dob} AS dob, r.sex, left(r.ethnicity, 4) AS ethnicity, lower(nullif(r.language, '')) AS language,
    r.youngcarer, {day_entrydate} AS entry_date, {day_leavingdate} AS leaving_date, r.enrolstatus, coalesce(nullif(r.ncyearactual, ''), nullif(r.ncyearleaving, '')) AS nc_year,
    r.senprovision, nullif(r.surname, '') AS surname, nullif(r.forename, '') AS forename
FROM raw_roll r JOIN person p ON p.upn = r.upn;
CREATE TABLE who AS SELECT id, any_value(pupil_id) AS pupil_id, any_value(urn) AS urn FROM roll GROUP BY id;
CREATE TABLE out_pupils AS
SELECT pupil_id, arg_max(upn, day) AS upn, arg_min(dob, day) AS date_of_birth, arg_max(sex, day) FILTER (sex IN {sexes}) AS sex,
    arg_max(ethnicity, day) FILTER (ethnicity IN {ethnicities}) AS ethnicity, arg_max(language, day) FILTER (language IS NOT NULL) AS first_language,
    arg_max(youngcarer IN ('P', 'S'), day) FILTER (nullif(youngcarer, '') IS NOT NULL) AS young_carer
FROM roll GROUP BY pupil_id;
CREATE TABLE out_enrolments AS
WITH spell AS (
    SELECT pupil_id, urn, entry_date, greatest(min(day), entry_date) AS recorded_on,
        arg_max(enrolstatus, day) FILTER (enrolstatus IN {statuses} AND NOT left_roll) AS status, arg_min(nc_year, day) FILTER (nc_year IN {years}) AS nc_year,
        arg_min(leaving_date, day) FILTER (left_roll AND leaving_date >= entry_date) AS leaving_date,
        min(day) FILTER (left_roll AND leaving_date >= entry_date) AS told
    FROM roll GROUP BY pupil_id, urn, entry_date
)
SELECT pupil_id, urn, entry_date, leaving_date, status, nc_year, recorded_on, greatest(told, leaving_date, recorded_on) AS leaving_recorded_on FROM spell;
CREATE TABLE need AS
SELECT w.pupil_id, n.day, any_value(n.sentype) AS need FROM raw_senneeds n JOIN who w USING (id) WHERE n.sentyperank LIKE '1%' AND n.sentype IN {needs} GROUP BY ALL;
CREATE TABLE out_sen AS
WITH given AS (
    SELECT pupil_id, day, max(CASE WHEN senprovision IN ('E', 'S') THEN 2 WHEN senprovision IN ('K', 'A', 'P') THEN 1 ELSE 0 END) AS level
    FROM roll WHERE NOT left_roll AND nullif(senprovision, '') IS NOT NULL GROUP BY ALL
), marked AS (
    SELECT *, (level IS DISTINCT FROM lag(level) OVER (PARTITION BY pupil_id ORDER BY day))::INT AS fresh FROM given
), numbered AS (
    SELECT *, sum(fresh) OVER (PARTITION BY pupil_id ORDER BY day) AS spell FROM marked
), spells AS (
    SELECT pupil_id, spell, any_value(level) AS level, min(numbered.day) AS start_date, max(numbered.day) AS last_day,
        arg_max(need, need.day) AS primary_need
    FROM numbered LEFT JOIN need USING (pupil_id, day) GROUP BY ALL
)
-- A change lies between two censuses; the later day is the first on which it was known.
SELECT pupil_id, start_date, lead(start_date) OVER (PARTITION BY pupil_id ORDER BY start_date) AS end_date, CASE level WHEN 2 THEN 'E' WHEN 1 THEN 'K' END AS provision,
    primary_need, start_date AS recorded_on
FROM spells QUALIFY level > 0;
CREATE TABLE out_fsm AS
WITH given AS (
    SELECT w.pupil_id, f.day, {day_fsmstartdate} AS start_date, CASE WHEN {day_fsmenddate} >= {day_fsmstartdate} THEN {day_fsmenddate} END AS end_date
    FROM raw_fsmperiod f JOIN who w USING (id)
), told AS (
    SELECT pupil_id, start_date, end_date, greatest(min(day), start_date) AS recorded_on FROM given WHERE start_date IS NOT NULL GROUP BY pupil_id, start_date, end_date
)
-- Two ends told on one day cannot both stand.
SELECT * FROM told QUALIFY row_number() OVER (PARTITION BY pupil_id, start_date, recorded_on ORDER BY end_date DESC NULLS LAST) = 1;
CREATE TABLE out_suspensions AS
WITH given AS (
    SELECT w.pupil_id, coalesce(nullif(x.nativeid, ''), w.urn) AS urn, {day_startdate} AS start_date, CASE x.category WHEN 'PERM' THEN 'PERM' ELSE 'SUSP' END AS category,
        CASE WHEN x.reason1 IN {reasons} THEN x.reason1 END AS reason, try_cast(x.sessions AS DOUBLE)::BIGINT AS sessions, x.day
    FROM raw_termlyexclusions x JOIN who w USING (id) WHERE x.category IN ('PERM', 'SUSP', 'FIXD', 'LNCH')
)
SELECT pupil_id, min(urn) AS urn, start_date, category, arg_min(reason, day) AS reason, arg_min(sessions, day) AS sessions, greatest(min(day), start_date) AS recorded_on
FROM given WHERE start_date IS NOT NULL GROUP BY pupil_id, start_date, category;
CREATE TABLE out_termly_attendance AS
SELECT w.pupil_id, s.term_start, s.term_end, s.attendancereason AS code, sum(try_cast(s.sessions AS DOUBLE))::BIGINT AS sessions, s.day AS recorded_on
FROM raw_sessions s JOIN who w USING (id) WHERE s.attendancereason IN {codes} AND s.sessions IS NOT NULL GROUP BY ALL;
CREATE TABLE out_addresses AS
WITH given AS (
    SELECT w.pupil_id, a.day, max(h.household_id) AS household_id
    FROM raw_addresses a JOIN who w USING (id) JOIN home h ON h.address = coalesce(a.uniquepropertyreferencenumber, '') || coalesce(a.postcode, '') GROUP BY ALL
), marked AS (
    SELECT *, (household_id IS DISTINCT FROM lag(household_id) OVER (PARTITION BY pupil_id ORDER BY day))::INT AS fresh FROM given
)
SELECT pupil_id, day AS start_date, lead(day) OVER (PARTITION BY pupil_id ORDER BY day) AS end_date, household_id, day AS recorded_on FROM marked WHERE fresh = 1;
CREATE TABLE out_schools AS
SELECT urn, CASE WHEN max(y) IS NULL OR max(y) < 7 THEN 'primary' WHEN min(y) >= 7 THEN 'secondary' ELSE 'all-through' END AS phase
FROM (SELECT urn, try_cast(nc_year AS INT) AS y FROM roll) GROUP BY urn;
-- For the linkage store only: names and postcodes never reach the histories.
CREATE TABLE names AS
WITH postcodes AS (
    SELECT w.pupil_id, arg_max(a.postcode, a.day) AS postcode FROM raw_addresses a JOIN who w USING (id) WHERE nullif(a.postcode, '') IS NOT NULL GROUP BY 1
)
SELECT pupil_id, arg_max(upn, day) AS upn, arg_max(forename, day) AS forename, arg_max(surname, day) AS surname, strftime(arg_max(dob, day), '%Y-%m-%d') AS dob,
    arg_max(sex, day) AS sex, any_value(postcode) AS postcode
FROM roll LEFT JOIN postcodes USING (pupil_id) GROUP BY pupil_id HAVING arg_max(surname, day) IS NOT NULL;
