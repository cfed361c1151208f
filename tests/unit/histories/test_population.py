"""The simulated population: the same seed gives the same bytes, spells are sound, and true risks match outcomes."""

import hashlib
from datetime import date
from itertools import product
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from histories.calendar import london_today
from histories.checks.check import check
from histories.cli.simulate import simulate as simulate_verb
from histories.errors import Faults, Usage
from histories.population import life, simulation
from histories.population.roll import SimulatedPeriod
from histories.population.scenario import load_scenario, shipped
from histories.population.simulation import simulate
from histories.population.truth import true_risks
from histories.reading.histories import Histories


def digest(folder):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path, small_histories):
    simulate(tmp_path / "again", pupils=300, years=1, seed=3, truth=True)
    simulate(tmp_path / "other", pupils=300, years=1, seed=4, truth=True)
    same, other = digest(tmp_path / "again"), digest(tmp_path / "other")
    assert same == digest(small_histories)
    assert all(same[n] != other[n] for n in ("attendance.parquet", "enrolments.parquet", "truth.parquet"))


def test_the_last_day_may_be_today(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(simulation, "simulate", lambda out, **how: asked.update(how) or {})
    for day, last in (("today", london_today()), ("2026-06-30", date(2026, 6, 30)), (None, None)):
        options = ["--last-day", day] if day else []
        assert CliRunner().invoke(simulate_verb, [str(tmp_path / "h"), *options]).exit_code == 0
        assert asked["last_day"] == last
    assert CliRunner().invoke(simulate_verb, [str(tmp_path / "h"), "--last-day", "tomorrow"]).exit_code == 2


@pytest.mark.parametrize("last_day", [date(2026, 11, 25), date(2026, 6, 30)], ids=str)  # in the middle of a week
def test_records_end_on_the_day_that_is_asked_for(tmp_path, last_day):
    """Before, every population ended in 2025, and a demo of today had only duties of long ago."""
    for name in ("one", "again"):
        simulate(tmp_path / name, pupils=300, years=1, seed=3, last_day=last_day)
    assert digest(tmp_path / "one") == digest(tmp_path / "again")
    dates = {}
    for file in (tmp_path / "one").iterdir():
        frame = pl.read_parquet(file).select(pl.selectors.date())
        dates |= {(file.stem, c): frame[c].max() for c in frame.columns}
    later = {place: day for place, day in dates.items() if day is not None and day > last_day}
    assert later == {}
    assert dates["attendance", "date"] == last_day
    histories = Histories.open(tmp_path / "one")
    assert histories.last_known() == last_day
    assert check(histories).errors == 0


PERIODS = [  # the last day, the first Monday, and the Monday of the last week
    (date(2026, 11, 29), date(2025, 9, 1), date(2026, 11, 23)),  # Sunday
    (date(2026, 12, 25), date(2025, 9, 1), date(2026, 12, 14)),
    (date(2026, 10, 28), date(2025, 9, 1), date(2026, 10, 19)),  # half-term
    (date(2026, 8, 15), date(2024, 8, 26), date(2026, 8, 3)),
    (date(2026, 8, 31), date(2024, 8, 26), date(2026, 8, 24)),
    (date(2026, 9, 1), date(2025, 9, 1), date(2026, 8, 24)),  # a day of training: schools open on the next
    (date(2028, 2, 29), date(2026, 8, 31), date(2028, 2, 28)),
    (date(2027, 1, 1), date(2025, 9, 1), date(2026, 12, 21)),
]


@pytest.mark.parametrize(("last_day", "first", "last"), PERIODS, ids=lambda d: d.isoformat())
def test_a_period_ends_with_the_week_of_its_last_day(last_day, first, last):
    period = SimulatedPeriod.until(last_day, 1)
    assert (period.first, period.monday(period.weeks - 1), period.end) == (first, last, last_day)


def test_a_last_day_out_of_range_is_refused(tmp_path):
    with pytest.raises(Usage, match="day is out of range"):
        simulate(tmp_path / "h", pupils=300, years=1, last_day=date(1999, 1, 1))


def test_threads_do_not_change_the_bytes(tmp_path, small_histories):
    import numba

    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        simulate(tmp_path / "one", pupils=300, years=1, seed=3, truth=True)
    finally:
        numba.set_num_threads(before)
    assert digest(tmp_path / "one") == digest(small_histories)


@pytest.mark.parametrize("shock", [0.0, 0.3])
def test_a_true_risk_is_the_sum_over_all_states_and_weeks(shock):
    """Also over those in which a child cannot be, which the compiled loop leaves out: across a summer, in each state and in the years that end a phase."""
    years, states, places = (np.array(v) for v in zip(*product((5, 6, 11), range(8), (0, 3)), strict=True))
    n, rng = len(years), np.random.default_rng(5)
    p = simulation.parameters(load_scenario("other_rules"))
    p[17] = shock
    summer = np.arange(30) == 9
    x, h, home, trait = rng.normal(size=(4, n))
    known = {"x0": x, "h0": h, "state0": states.astype(np.int8), "home": home, "traits": trait, "h_home": home}
    known |= {"year": years.astype(np.int8), "place": places.astype(np.int8), "week": np.full(n, 2)}
    helped = np.where(rng.random((n, 12)) < 0.5, 0.4, 1.0).astype(np.float32)
    how = {"effect": np.linspace(0.5, 1.5, 15), "summer_end": summer, "p": p, "helped": helped}
    found = life.true_risks(seed=3, runs=2, **known, **how)
    assert found.tolist() == [risk_of_all_states(3, 2, s, known, **how) for s in range(n)]


def risk_of_all_states(seed, runs, s, known, *, effect, summer_end, p, helped):
    of = {name: values[s] for name, values in known.items()}
    year, total = of["year"], 0.0
    for r in range(runs):
        key = np.uint64(life.stream(seed, np.uint64(5_000_000_000 + s * runs + r)))
        x, h, avoiding, chance = of["x0"], of["h0"], of["state0"] // 4, np.eye(4)[of["state0"] % 4]
        for step in range(life.STEPS):
            t = of["week"] + step
            share = 1.0 if step < life.STEPS - 1 else life.WEEKS_IN_WINDOW - (life.STEPS - 1)
            h = life.drift(h, of["h_home"], p[1], 0.80 * life.normal(key, 3, step))
            x, _ = life.advance(x=x, h=h, crisis=0, home=of["home"], key=key, step=step, p=p)
            avoiding = life.avoids(avoiding=avoiding, x=x, year=year, trait=of["traits"], key=key, step=step, p=p)
            enter, stay = life.crisis_chance(x, h, 0, p), life.crisis_chance(x, h, 1, p)
            moved, (well, ill, absent, shocked) = p[17] * life.move_rate(h), chance.tolist()
            chance[0] = well * (1.0 - enter - moved) + ill * (1.0 - stay) + absent * life.ARRIVES + shocked * p[18]
            chance[1], chance[2] = well * enter + ill * stay, absent * (1.0 - life.ARRIVES)
            chance[3] = shocked * (1.0 - p[18]) + well * moved
            lost = life.LOST_BEFORE * life.place_lost(of["place"], x, h) if summer_end[t] and year == 6 else 0.0
            for state in range(4):
                rates, now = np.zeros(6), effect[min(t, len(effect) - 1)]
                life.hazards(x=x, h=h, crisis=state, avoiding=avoiding, year=year, effect=now, p=p, out=rates)
                rates[:2] = (rates[:2] + np.array([0.6, 0.4]) * lost) * life.help_on(helped, s, step)
                total += share * chance[state] * (rates[0] + rates[1])
                chance[state] *= 1.0 - share * min(sum(rates.tolist()), 1.0)
            if summer_end[t] and year in (6, 11):
                chance[:] = 0.0
    return total / runs


def test_true_risks_since_a_day_are_those_of_the_whole(tmp_path, small_histories):
    simulate(tmp_path / "h", pupils=300, years=1, seed=3, truth=True, truth_since=date(2025, 4, 28))
    whole, since = (pl.read_parquet(f / "truth.parquet") for f in (small_histories, tmp_path / "h"))
    assert since.equals(whole.filter(pl.col("as_of") >= date(2025, 4, 28)))
    assert 0 < len(since) < len(whole)


def test_true_risks_since_a_day_after_the_last_are_none():
    state = SimpleNamespace(clock=SimpleNamespace(first=date(2024, 9, 1), end=date(2025, 7, 1)))
    risks = true_risks(state, None, since=date(2026, 1, 1))
    assert (risks.num_rows, risks.column_names) == (0, ["pupil_id", "as_of", "risk"])


def test_simulated_histories_break_no_rule_of_severity_error(small_histories):
    checked = check(Histories.open(small_histories))
    assert checked.errors == 0, checked.text()


@pytest.mark.parametrize("scenario", ["default", pytest.param("other_rules", marks=pytest.mark.prove)])
def test_true_risk_is_calibrated(tmp_path, scenario):
    """Among snapshots with a true risk of about r, a share of about r goes missing."""
    from features import Definition, default_as_of, label

    simulate(tmp_path / "h", pupils=6000, years=4, seed=11, truth=True, scenario=scenario)
    histories = Histories.open(tmp_path / "h")
    labels = pl.from_arrow(label(histories, default_as_of(histories), Definition.load()))
    both = labels.drop_nulls("label").join(pl.read_parquet(tmp_path / "h" / "truth.parquet"), on=["pupil_id", "as_of"])
    assert both.height > 50_000
    for low, high in ((0.0, 0.002), (0.002, 0.05), (0.05, 1.0)):
        part = both.filter(pl.col("risk").is_between(low, high, closed="left"))
        expected, seen = part["risk"].sum(), part["label"].sum()
        # Snapshots of one child overlap, which widens the binomial spread: allow more than four standard deviations.
        assert abs(seen - expected) < 5 * expected**0.5 + 3, (low, high, expected, seen)


def test_a_scenario_without_daily_marks_writes_termly_counts(tmp_path):
    rows = simulate(tmp_path / "h", pupils=150, years=1, seed=1, scenario="no_daily_marks")
    assert rows["termly_attendance"] > 0
    assert "attendance" not in rows


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_loads(name):
    assert load_scenario(name)["title"] == name


@pytest.mark.parametrize(
    ("text", "where", "do"),
    [
        ("latent = 3", "latent", "Write a table with engagement_pull"),
        ("[latent]\nspeed = 1", "latent.speed", "Use one of engagement_pull"),
        ("[latent]\ncrisis_rate = 'x'", "latent.crisis_rate", "Write it like 9.2e-06."),
        ("[latent", "", "Correct the file"),
        ("[exits]\nmissing = -1", "exits.missing", "Write it like 2e-06."),
        ("[exits]\neffect_from = '2024-01-01'", "exits.effect_from", "Write it like 9999-01-01."),
        ("[recording]\nleaving_delay = true", "recording.leaving_delay", "Write it like 9.0."),
        ("[tables]\nmissing = [1]", "tables.missing, entry 1", "Write a list of texts."),
        ("[tables]\ndaily_marks = 1", "tables.daily_marks", "Write it like true."),
    ],
)
def test_an_invalid_scenario_is_refused_with_the_place_and_the_remedy(tmp_path, text, where, do):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(Faults) as refused:
        load_scenario(str(tmp_path / "s.toml"))
    (fault,) = refused.value.faults
    assert fault.where == str(tmp_path / "s.toml") + (f", {where}" if where else "")
    assert do in fault.do


def test_all_faults_of_a_scenario_are_reported_together(tmp_path):
    (tmp_path / "s.toml").write_text("colour = 1\n[exits]\nmissing = -1\n[place]\npupils_per_school = 'x'\n")
    with pytest.raises(Faults) as refused:
        load_scenario(str(tmp_path / "s.toml"))
    places = {f.where.removeprefix(f"{tmp_path}/s.toml, ") for f in refused.value.faults}
    assert places == {"colour", "exits.missing", "place.pupils_per_school"}


def test_a_whole_number_is_accepted_for_a_decimal_one(tmp_path):
    (tmp_path / "s.toml").write_text("title = 'x'\n[recording]\nleaving_delay = 3\n")
    assert load_scenario(str(tmp_path / "s.toml"))["recording"]["leaving_delay"] == 3


def test_a_folder_with_files_is_never_overwritten(tmp_path, small_histories):
    before = digest(small_histories)
    with pytest.raises(Usage):
        simulate(small_histories, pupils=300, years=1)
    assert digest(small_histories) == before
