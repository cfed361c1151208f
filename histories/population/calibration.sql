-- One row per pupil and January census, with the school year around it and the twelve months after it. calibration.py runs it
-- over views of the tables of a histories folder; the measures of targets.toml are aggregates over `census`.
create temp table years as select * from (values {years}) t(school_year, census, spring_start, spring_end);
create macro school_year_of(day) as year(day) - (month(day) < 9)::int;
create macro covers(first, last, day) as first <= day and coalesce(last, day) >= day;

-- The final register: a corrected mark counts as last recorded.
create temp table corrected as select distinct pupil_id, "date", session from attendance where recorded_on > "date";
create temp table sessions as
with last_word as (
    select pupil_id, "date", session, arg_max(code, recorded_on) as code
    from attendance semi join corrected using (pupil_id, "date", session) group by all
), counted as (
    select pupil_id, school_year_of("date") as school_year, code, count(*) as n from attendance group by all
    union all
    select pupil_id, school_year_of("date"), code, -count(*) from attendance semi join corrected using (pupil_id, "date", session) group by all
    union all
    select pupil_id, school_year_of("date"), code, count(*) from last_word group by all
)
select pupil_id, school_year, case when code in ('/', '\') then 'present' else code end as code, sum(n)::int as n
from counted where code not in {not_counted} group by all;
create temp table register as
select pupil_id, school_year, sum(n) as sessions, {codes},
    coalesce(sum(n) filter (code in {unauthorised}), 0) as unauthorised,
    coalesce(sum(n) filter (code in {absence}), 0) as absent
from sessions group by all;

create temp table cohort as
select t.*, e.pupil_id, e.urn, s.phase,
    case e.nc_year when 'R' then 0 else e.nc_year::int end + t.school_year - school_year_of(e.entry_date) as year_group
from years t join enrolments e on covers(e.entry_date, e.leaving_date, t.census) join schools s using (urn)
qualify row_number() over (partition by t.school_year, e.pupil_id order by e.entry_date desc) = 1;
create temp table care as
select c.pupil_id, c.school_year, 1 as in_need, max((kind = 'cpp')::int) as plan, max((kind = 'cla')::int) as looked_after
from cohort c join social_care x on x.pupil_id = c.pupil_id and covers(x.start_date, x.end_date, c.census)
where kind in ('cin', 'cpp', 'cla') group by all;
create temp table sent_home as
select x.pupil_id, t.school_year, count(*) filter (category = 'SUSP') as suspensions, count(*) filter (category = 'PERM') as permanent,
    max((x.start_date between t.spring_start and t.spring_end)::int) as in_spring
from suspensions x join years t on school_year_of(x.start_date) = t.school_year group by all;
create temp table after_census as
select c.pupil_id, c.school_year, max((e.destination = 'unknown')::int) as unknown, max((e.destination = 'home_education')::int) as home_education,
    max((e.destination in ('independent_school', 'abroad'))::int) as elsewhere, max((e.destination = 'other_authority')::int) as other_authority,
    max((e.urn = c.urn)::int) as left_school
from cohort c join enrolments e on e.pupil_id = c.pupil_id and e.leaving_date > c.census and e.leaving_date <= c.census + interval 1 year
group by all;
create temp table cases as
select c.pupil_id, c.school_year, 1 as missing,
    max((coalesce(m.resolved_on, date '9999-01-01') > c.census + interval 1 year)::int) as still_missing
from cohort c join cme m on m.pupil_id = c.pupil_id and m.missing_from > c.census and m.missing_from <= c.census + interval 1 year
group by all;

create temp table census as
select c.*, p.sex, p.first_language, a.idaci_decile as decile, x.provision as sen, f.pupil_id is not null as fsm,
    coalesce(care.in_need, 0) as in_need, coalesce(care.plan, 0) as plan, coalesce(care.looked_after, 0) as looked_after,
    r.* exclude (pupil_id, school_year), (r.absent >= 0.1 * r.sessions)::int as persistent, (r.absent >= 0.5 * r.sessions)::int as severe,
    coalesce(s.suspensions, 0) as suspensions, coalesce(s.permanent, 0) as permanent, coalesce(s.in_spring, 0) as suspended_in_spring,
    {outcomes}
from cohort c join pupils p using (pupil_id)
left join (select c.pupil_id, c.school_year, max(provision) filter (provision = 'E') as plan, max(provision) as other, coalesce(plan, other) as provision
    from cohort c join sen y on y.pupil_id = c.pupil_id and covers(y.start_date, y.end_date, c.census) group by all) x using (pupil_id, school_year)
left join (select distinct c.pupil_id, c.school_year from cohort c join fsm y on y.pupil_id = c.pupil_id and covers(y.start_date, y.end_date, c.census)) f
    using (pupil_id, school_year)
left join (select c.pupil_id, c.school_year, max(y.lsoa) as lsoa from cohort c join addresses y on y.pupil_id = c.pupil_id
    and covers(y.start_date, y.end_date, c.census) group by all) h using (pupil_id, school_year)
left join areas a using (lsoa)
left join register r using (pupil_id, school_year) left join care using (pupil_id, school_year)
left join sent_home s using (pupil_id, school_year) left join after_census o using (pupil_id, school_year)
left join cases using (pupil_id, school_year);
