"""The verb ``serve``: run the BentoML service in place of this process."""

from __future__ import annotations

import os
import sys
from typing import Any

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port to listen on.")
@click.option("--development", is_flag=True, help="Allow the development users of the access file, without secrets.")
def serve(host: str, port: int, development: bool) -> None:
    """Run the HTTP service and its pages until stopped."""
    from histories.io.private_files import SERVICE
    from histories.settings import settings, working_folder
    from serving.access.configuration import Configuration
    from serving.access.development import refuse_elsewhere
    from serving.cli.running import CODE, serve_command, service_environment

    if not development:
        os.environ[SERVICE] = "1"
    if Configuration.load(settings().access).development:
        refuse_elsewhere(host, development)
    folder = working_folder()
    os.environ["BENTOML_HOME"] = str(folder / os.environ.get("BENTOML_HOME", ".bentoml"))
    os.environ.update(service_environment(folder, host))
    os.environ.update({"MLFLOW_DISABLE_TELEMETRY": "true", "ONROLL_DEVELOPMENT": "1" if development else "0"})
    os.chdir(CODE)
    os.execv(sys.executable, serve_command(host, port))  # nosec B606 # no shell; the operator's own words


verbs: list[Any] = [serve]
