"""The service does not keep its store in an archive of BentoML."""

import pytest

from histories.errors import Faults
from serving.http.archive import refuse_within


def test_only_the_sources_of_an_archive_are_refused_as_the_working_folder(tmp_path):
    sources = tmp_path / "src"
    sources.mkdir()
    refuse_within(sources)
    (tmp_path / "bento.yaml").write_text("name: onroll\n")
    refuse_within(tmp_path)
    with pytest.raises(Faults, match="no working folder") as refused:
        refuse_within(sources)
    assert "PYTHONPATH=" in str(refused.value)
