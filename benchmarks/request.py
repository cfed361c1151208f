"""Where the processor time of ``/score`` goes without HTTP: one pupil and 100 in each form that it takes, as rows, columns and Arrow.

ONROLL_MODEL names the model. The steps are those of ``serving.http.api.score_rows``, one after another in one process; the ratio of 100 pupils to one is
promised for the whole request (``python -m benchmarks.serving``).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.one_pupil import DAY, posted
from benchmarks.rounds import machine
from benchmarks.serving import FORMS, in_forms
from features.posted import open_rows
from histories.population.simulation import simulate
from histories.settings import settings
from serving.http import arrow_stream
from serving.http.json_once import parsed_histories
from serving.http.turns import answered
from training.release.resolve import resolve
from training.risk_model import RiskModel

ROUNDS = 5
STEPS = ("parsing", "opening", "scoring", "answering")


def request(model: RiskModel, form: str, body: bytes) -> list[float]:
    """Answer a request; return the milliseconds of processor of each step."""
    times = [time.process_time()]

    def done(value: Any) -> Any:
        times.append(time.process_time())
        return value

    read: Callable[[bytes], dict[str, Any]] = arrow_stream.read if form == "Arrow" else parsed_histories
    tables = done(read(body)["histories"])
    histories = done(open_rows(tables))
    scores = done(model.score(histories, DAY))
    done(answered({"scores": [score.to_dict() for score in scores], "warnings": histories.warnings}))
    return [(after - before) * 1000 for before, after in pairwise(times)]


def main() -> None:
    """Print the figures."""
    model = RiskModel.load(resolve(settings().model, settings().releases))
    with tempfile.TemporaryDirectory() as scratch:
        simulate(Path(scratch) / "h", pupils=600, years=3, seed=4)
        rows = posted(Path(scratch) / "h")
    bodies = {(form, n): in_forms(rows[n])[form][0] for form in FORMS for n in (1, 100)}
    times: dict[tuple[str, int], list[list[float]]] = {case: [] for case in bodies}
    for at in range(ROUNDS + 2):
        for case, body in bodies.items():
            of_case = [request(model, case[0], body) for _ in range(5 if case[1] == 1 else 1)]
            times[case] += of_case if at > 1 else []  # the first rounds compile
    print(f"milliseconds of processor, {ROUNDS} rounds, {machine()}")
    for form in FORMS:
        whole = {n: statistics.median(sum(steps) for steps in times[form, n]) for n in (1, 100)}
        for n, total in whole.items():
            middle = [statistics.median(column) for column in zip(*times[form, n], strict=True)]
            steps = "  ".join(f"{name} {value:6.1f}" for name, value in zip(STEPS, middle, strict=True))
            print(f"  {form:8}{n:4} pupils  {steps}  all {total:6.1f}")
        print(f"  {form:8} 100 pupils take {whole[100] / whole[1]:.1f} times one")


if __name__ == "__main__":
    main()
