"""The groups used in descriptions and audits, as known before the day; never features.

Each is declared once. Its values partition the cohort, so that counts add up; the parts of a broader value (any special
educational need) name it in ``within``. Groups with a common value (no special educational need) list it in the same position, so
that both tables hide the same. A group whose table is absent is reported as left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import narwhals as nw
import polars as pl

from histories.codes import ABSENCE_CODES, POSSIBLE_CODES

NOT_RECORDED = "not_recorded"
# Codes of ISO 639 and of the school census: English or believed to be English; refused, not obtained, not yet known, and the like.
ENGLISH = ("en", "eng", "enb", "english")
NO_LANGUAGE = ("", "ref", "not", "zzz", "und", "mis", "mul", "zxx")
PERSISTENT = 10  # persistent absence: at least 1 in 10 possible sessions missed (Department for Education)


@dataclass(frozen=True)
class Value:
    """One value of a group; ``within`` is the broader value that contains it."""

    name: str
    title: str
    within: str | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """One partition of the children.

    Attributes
    ----------
    name, title : str
    table : str
        Its source: a table of the histories, or ``cohort`` for the snapshot itself.
    code : callable
        Returns the Polars expression of the value's name over the columns of ``counts`` and the cohort; null if not recorded.
    values : tuple of Value
        In printing order; empty if the values come from the data (authorities, years).
    broader : tuple of Value
        Broader values.
    counts : callable, optional
        Returns Narwhals aggregates over the table's rows visible on the day; ``open`` marks open ones.
    protected : bool
        Whether models are audited by it: a protected characteristic, or a related disadvantage.
    """

    name: str
    title: str
    table: str
    code: Callable[[], pl.Expr]
    values: tuple[Value, ...] = ()
    broader: tuple[Value, ...] = ()
    counts: Callable[[], dict[str, nw.Expr]] | None = None
    protected: bool = False

    def title_of(self, value: str) -> str:
        """Return the title of a value, by default the value itself."""
        titles = {v.name: v.title for v in (*self.values, *self.broader)}
        return titles.get(value, "not recorded" if value == NOT_RECORDED else value)

    @property
    def within(self) -> dict[str, str]:
        """The broader value of each value that has one."""
        return {v.name: v.within for v in self.values if v.within}


def _highest(column: str, *codes: str) -> nw.Expr:
    """Return the position, from 1, of the last of the codes that occurs in an open row; 0 for none."""
    place = nw.lit(0)
    for n, code in enumerate(codes, 1):
        place = nw.when(nw.col("open") & (nw.col(column) == code)).then(nw.lit(n)).otherwise(place)
    return place.max().cast(nw.Int64)


def _language() -> pl.Expr:
    """Return the first language without the place where it is spoken: ``en-GB`` is ``en``."""
    return pl.col("first_language").str.to_lowercase().str.split("-").list.first()


def _named(column: str, *names: str) -> pl.Expr:
    """Map positions in a column to names; a child without rows has position 0."""
    return pl.col(column).fill_null(0).replace_strict(dict(enumerate(names)), return_dtype=pl.String)


def _recorded(column: str, names: dict[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(names, default=None, return_dtype=pl.String)


def _sum_when(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).sum().cast(nw.Int64)


YES_NO = (Value("yes", "yes"), Value("no", "no"))
ETHNICITIES = {
    "WBRI": "white_british",
    "WIRI": "white_irish",
    "WIRT": "irish_traveller",
    "WROM": "gypsy_roma",
    "WOTH": "white_other",
    "MWBC": "mixed",
    "MWBA": "mixed",
    "MWAS": "mixed",
    "MOTH": "mixed",
    "AIND": "asian",
    "APKN": "asian",
    "ABAN": "asian",
    "CHNE": "asian",
    "AOTH": "asian",
    "BCRB": "black",
    "BAFR": "black",
    "BOTH": "black",
    "OOTH": "other",
}

GROUPS: tuple[Group, ...] = (
    Group(
        name="sex",
        title="Sex",
        table="pupils",
        code=lambda: _recorded("sex", {"F": "female", "M": "male"}),
        values=(Value("female", "girls"), Value("male", "boys")),
        protected=True,
        counts=lambda: {"sex": nw.col("sex").max()},
    ),
    Group(
        name="ethnicity",
        title="Ethnicity",
        table="pupils",
        code=lambda: _recorded("ethnicity", ETHNICITIES),
        values=(
            Value("white_british", "White British"),
            Value("white_irish", "White Irish"),
            Value("gypsy_roma", "Gypsy/Roma", "gypsy_roma_traveller"),
            Value("irish_traveller", "Irish Traveller", "gypsy_roma_traveller"),
            Value("white_other", "other White"),
            Value("mixed", "mixed"),
            Value("asian", "Asian"),
            Value("black", "Black"),
            Value("other", "other"),
        ),
        broader=(Value("gypsy_roma_traveller", "Gypsy, Roma or Irish Traveller"),),
        protected=True,
        counts=lambda: {"ethnicity": nw.col("ethnicity").max()},
    ),
    Group(
        name="fsm",
        title="Free school meals",
        table="fsm",
        code=lambda: _named("eligible", "no", "yes"),
        values=YES_NO,
        protected=True,
        counts=lambda: {"eligible": nw.when(nw.col("open")).then(nw.lit(1)).otherwise(nw.lit(0)).max().cast(nw.Int64)},
    ),
    Group(
        name="eal",
        title="First language other than English",
        table="pupils",
        code=lambda: (
            pl.when(_language().is_in(NO_LANGUAGE).fill_null(True))
            .then(None)
            .otherwise(pl.when(_language().is_in(ENGLISH)).then(pl.lit("no")).otherwise(pl.lit("yes")))
        ),
        values=YES_NO,
        protected=True,
        counts=lambda: {"first_language": nw.col("first_language").max()},
    ),
    Group(
        name="sen",
        title="Special educational needs",
        table="sen",
        code=lambda: _named("provision", "none", "support", "plan"),
        values=(
            Value("none", "none"),
            Value("support", "SEN support", "any"),
            Value("plan", "education, health and care plan", "any"),
        ),
        broader=(Value("any", "any special educational need"),),
        protected=True,
        counts=lambda: {"provision": _highest("provision", "K", "E")},
    ),
    Group(
        name="primary_need",
        title="Primary need",
        table="sen",
        code=lambda: _named("need", "none", "another", "mld", "semh"),
        values=(
            Value("none", "no special educational need"),
            Value("semh", "social, emotional and mental health", "any"),
            Value("mld", "moderate learning difficulty", "any"),
            Value("another", "another need, or none stated", "any"),
        ),
        broader=(Value("any", "any special educational need"),),
        counts=lambda: {
            "need": nw.max_horizontal(
                _highest("primary_need", "-", "MLD", "SEMH"),
                nw.when(nw.col("open")).then(nw.lit(1)).otherwise(nw.lit(0)).max().cast(nw.Int64),
            )
        },
    ),
    Group(
        name="social_care",
        title="Early help and social care",
        table="social_care",
        code=lambda: _named("care", "none", "early_help", "cin", "cpp", "cla"),
        values=(
            Value("none", "none"),
            Value("early_help", "early help"),
            Value("cin", "child in need plan", "social_worker"),
            Value("cpp", "child protection plan", "social_worker"),
            Value("cla", "looked after", "social_worker"),
        ),
        broader=(Value("social_worker", "child in need, on a protection plan or looked after"),),
        protected=True,
        counts=lambda: {"care": _highest("kind", "early_help", "cin", "cpp", "cla")},
    ),
    Group(
        name="idaci_fifth",
        title="Deprivation of the area (IDACI fifth)",
        table="addresses",
        code=lambda: ((pl.col("decile") + 1) // 2).cast(pl.String),
        values=(
            Value("1", "poorest fifth"),
            Value("2", "second"),
            Value("3", "third"),
            Value("4", "fourth"),
            Value("5", "least poor fifth"),
        ),
        protected=True,
        counts=lambda: {"decile": nw.when(nw.col("open")).then(nw.col("idaci_decile")).min().cast(nw.Int64)},
    ),
    Group(
        name="authority",
        title="Authority",
        table="cohort",
        code=lambda: pl.when(pl.col("authority") != "").then("authority"),
        protected=True,
    ),
    Group(name="age", title="Age at the start of the year", table="cohort", code=lambda: pl.col("age").cast(pl.String)),
    Group(
        name="year_group",
        title="Year group",
        table="cohort",
        code=lambda: pl.when(pl.col("nc_year") == 0).then(pl.lit("R")).otherwise(pl.col("nc_year").cast(pl.String)),
    ),
    Group(
        name="phase",
        title="Phase of the school",
        table="schools",
        code=lambda: pl.col("phase"),
        values=(
            Value("primary", "primary"),
            Value("secondary", "secondary"),
            Value("all-through", "all-through"),
            Value("special", "special"),
            Value("ap", "alternative provision"),
        ),
    ),
    Group(
        name="persistent_absence",
        title="Persistently absent in the last year",
        table="attendance",
        code=lambda: pl.when(pl.col("possible") > 0).then(
            pl.when(pl.col("absent") * PERSISTENT >= pl.col("possible")).then(pl.lit("yes")).otherwise(pl.lit("no"))
        ),
        values=YES_NO,
        counts=lambda: {
            "absent": _sum_when(nw.col("code").is_in(list(ABSENCE_CODES))),
            "possible": _sum_when(nw.col("code").is_in(list(POSSIBLE_CODES))),
        },
    ),
    Group(
        name="in_year_mover",
        title="Joined a school in the middle of the last year",
        table="enrolments",
        code=lambda: _named("moved", "no", "yes"),
        values=YES_NO,
        counts=lambda: {
            "moved": nw.when((nw.col("age") >= 1) & (nw.col("age") <= 365) & nw.col("in_year"))
            .then(nw.lit(1))
            .otherwise(nw.lit(0))
            .max()
            .cast(nw.Int64)
        },
    ),
)
BY_NAME = {g.name: g for g in GROUPS}
PROTECTED = tuple(g.name for g in GROUPS if g.protected)
