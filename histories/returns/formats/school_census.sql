-- Convert the tables of the census (text, with the census day) to statements; school_census.py fills in the names in braces.
CREATE TABLE roll AS
SELECT p.pupil_id, CASE WHEN NOT starts_with(r.upn, 'person:') THEN r.upn END AS upn, r.nativeid AS urn, r.id, r.part, r.day, r.line, r.left_roll, {day_dob} AS dob, upper(r.sex) AS sex, upper(left(r.ethnicity, 4)) AS ethnicity,
    lower(r.language) AS language, upper(r.youngcarer) AS youngcarer, {day_entrydate} AS entry_date, {day_leavingdate} AS leaving_date, upper(r.enrolstatus) AS enrolstatus,
    upper(coalesce(r.ncyearactual, r.ncyearleaving)) AS nc_year, upper(r.senprovision) AS senprovision, r.surname, r.forename
FROM raw_roll r JOIN person p ON p.upn = r.upn;
CREATE TABLE who AS SELECT id, part, any_value(pupil_id) AS pupil_id, any_value(urn) AS urn FROM roll GROUP BY id, part;
CREATE TABLE stated_pupils AS
SELECT part, pupil_id, urn AS school, CASE WHEN NOT starts_with(pupil_id, 'unlinked:') THEN pupil_id END AS upn_key, dob AS date_of_birth, CASE WHEN sex IN {sexes} THEN sex END AS sex,
    CASE WHEN ethnicity IN {ethnicities} THEN ethnicity END AS ethnicity, language AS first_language, CASE WHEN youngcarer IS NOT NULL THEN youngcarer IN ('P', 'S') END AS young_carer
FROM roll;
CREATE TABLE stated_enrolments AS
SELECT DISTINCT part, pupil_id, urn, urn AS school, entry_date, CASE WHEN left_roll THEN leaving_date END AS leaving_date, NOT left_roll AS listed,
    CASE WHEN enrolstatus IN {statuses} AND NOT left_roll THEN enrolstatus END AS status, CASE WHEN nc_year IN {years} THEN nc_year END AS nc_year
FROM roll WHERE NOT left_roll OR leaving_date >= entry_date;
CREATE TABLE need AS
SELECT w.pupil_id, n.part, any_value(upper(n.sentype)) AS need FROM raw_senneeds n JOIN who w USING (id, part) WHERE n.sentyperank LIKE '1%' AND upper(n.sentype) IN {needs} GROUP BY ALL;
CREATE TABLE stated_sen_states AS
SELECT r.part, r.pupil_id, r.urn AS school, CASE WHEN r.senprovision IN ('E', 'S') THEN 2 WHEN r.senprovision IN ('K', 'A', 'P') THEN 1 ELSE 0 END AS level, n.need AS primary_need
FROM roll r LEFT JOIN need n USING (pupil_id, part) WHERE NOT r.left_roll AND r.senprovision IS NOT NULL;
CREATE TABLE stated_fsm AS
SELECT DISTINCT f.part, w.pupil_id, w.urn AS school, {day_fsmstartdate} AS start_date, CASE WHEN {day_fsmenddate} >= {day_fsmstartdate} THEN {day_fsmenddate} END AS end_date
FROM raw_fsmperiod f JOIN who w USING (id, part) WHERE {day_fsmstartdate} IS NOT NULL;
CREATE TABLE stated_suspensions AS
SELECT DISTINCT x.part, w.pupil_id, w.urn AS school, coalesce(x.nativeid, w.urn) AS urn, {day_startdate} AS start_date, CASE upper(x.category) WHEN 'PERM' THEN 'PERM' ELSE 'SUSP' END AS category,
    CASE WHEN upper(x.reason1) IN {reasons} THEN upper(x.reason1) END AS reason, try_cast(x.sessions AS DOUBLE)::BIGINT AS sessions
FROM raw_termlyexclusions x JOIN who w USING (id, part) WHERE upper(x.category) IN ('PERM', 'SUSP', 'FIXD', 'LNCH') AND {day_startdate} IS NOT NULL;
CREATE TABLE stated_termly_attendance AS
SELECT s.part, w.pupil_id, w.urn AS school, s.term_start, s.term_end, upper(s.attendancereason) AS code, sum(try_cast(s.sessions AS DOUBLE))::BIGINT AS sessions
FROM raw_sessions s JOIN who w USING (id, part) WHERE upper(s.attendancereason) IN {codes} AND s.sessions IS NOT NULL GROUP BY ALL;
CREATE TABLE stated_address_states AS
SELECT DISTINCT a.part, w.pupil_id, w.urn AS school, h.household_id, k.postcode_key
FROM raw_addresses a JOIN who w USING (id, part) JOIN home h ON h.address = coalesce(a.uniquepropertyreferencenumber, '') || coalesce(a.postcode, '')
LEFT JOIN postcode_key k ON k.onroll_postcode = h.postcode;
-- For the linkage store only: names and postcodes never reach the histories.
CREATE TABLE names AS
WITH postcodes AS (
    SELECT w.pupil_id, arg_max(a.postcode, a.day) AS postcode FROM raw_addresses a JOIN who w USING (id, part) WHERE a.postcode IS NOT NULL GROUP BY 1
)
SELECT pupil_id, arg_max(upn, day) AS upn, arg_max(forename, day) AS forename, arg_max(surname, day) AS surname, strftime(arg_max(dob, day), '%Y-%m-%d') AS dob,
    arg_max(sex, day) AS sex, any_value(postcode) AS postcode
FROM roll LEFT JOIN postcodes USING (pupil_id) WHERE upn IS NOT NULL GROUP BY pupil_id HAVING arg_max(surname, day) IS NOT NULL;
