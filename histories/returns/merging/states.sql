-- States on census day (provision, home) become spells: a change lies between two censuses and counts from the later one, when it became known.
CREATE TABLE sen_spells AS
WITH given AS (
    SELECT pupil_id, return_date AS day, max(level) AS level, max(primary_need) AS need FROM s_sen_states WHERE is_current GROUP BY ALL
), marked AS (
    SELECT *, (level IS DISTINCT FROM lag(level) OVER (PARTITION BY pupil_id ORDER BY day))::INT AS fresh FROM given
), numbered AS (
    SELECT *, sum(fresh) OVER (PARTITION BY pupil_id ORDER BY day) AS spell FROM marked
), spells AS (
    SELECT pupil_id, spell, any_value(level) AS level, min(day) AS start_date, arg_min(need, day) FILTER (need IS NOT NULL) AS primary_need FROM numbered GROUP BY ALL
)
SELECT pupil_id, start_date, lead(start_date) OVER (PARTITION BY pupil_id ORDER BY start_date) AS end_date, CASE level WHEN 2 THEN 'E' WHEN 1 THEN 'K' END AS provision,
    primary_need, start_date AS recorded_on
FROM spells QUALIFY level > 0;
-- Join homes to the postcode directory by the key of the postcode; either may be imported first.
CREATE TABLE area_of AS
SELECT postcode_key, struct_extract(max({'r': rank, 'v': lsoa}), 'v') AS lsoa FROM s_postcode_areas WHERE is_current GROUP BY postcode_key;
CREATE VIEW placed_addresses AS
SELECT s.* REPLACE (coalesce(s.lsoa, g.lsoa) AS lsoa) FROM s_addresses s LEFT JOIN area_of g USING (postcode_key);
CREATE TABLE address_spells AS
WITH given AS (
    SELECT pupil_id, return_date AS day, max(household_id) AS household_id, max(coalesce(s.lsoa, g.lsoa)) AS lsoa FROM s_address_states s LEFT JOIN area_of g USING (postcode_key) WHERE is_current GROUP BY ALL
), marked AS (
    SELECT *, (household_id IS DISTINCT FROM lag(household_id) OVER (PARTITION BY pupil_id ORDER BY day))::INT AS fresh FROM given
)
SELECT pupil_id, day AS start_date, lead(day) OVER (PARTITION BY pupil_id ORDER BY day) AS end_date, household_id, lsoa, day AS recorded_on FROM marked WHERE fresh = 1;
