"""The service does not keep its store in an archive of BentoML."""

import os
import subprocess
import sys

import pytest

from histories.errors import Faults
from serving.http.archive import refuse_within
from tests.support.checkout import ROOT


def test_only_the_sources_of_an_archive_are_refused_as_the_working_folder(tmp_path):
    sources = tmp_path / "src"
    sources.mkdir()
    refuse_within(sources)
    (tmp_path / "bento.yaml").write_text("name: onroll\n")
    refuse_within(tmp_path)
    with pytest.raises(Faults, match="no working folder") as refused:
        refuse_within(sources)
    assert "serving.http.service:Onroll --host 127.0.0.1" in str(refused.value)


def test_the_service_itself_refuses_before_it_writes_anything(tmp_path):
    sources = tmp_path / "src"
    sources.mkdir()
    (tmp_path / "bento.yaml").write_text("name: onroll\n")
    words = [sys.executable, "-c", "import serving.http.service"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=sources, env=environment, capture_output=True, text=True, check=False)
    assert "an archive of BentoML is no working folder" in done.stderr
    assert list(sources.iterdir()) == []
