"""Code that whoever broke into the service leaves in the folder of its data, under names that a start would import."""

NAMES = (
    "bentoml/__init__.py",
    "bentoml/__main__.py",
    "_bentoml_impl/__init__.py",
    "serving.http.service:Onroll/service.py",
    "sitecustomize.py",
    "usercustomize.py",
    "yaml.py",
    "polars.py",
    "socket.py",
    "urllib/__init__.py",
)


def plant(folder):
    """Write the modules, each of which leaves a file with its name in the folder ``ran``, which is returned, and numba's settings."""
    ran = folder / "ran"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        mark = str(ran / name.replace("/", "."))
        (folder / name).write_text(
            f"import os\nos.makedirs({str(ran)!r}, exist_ok=True)\nopen({mark!r}, 'w').close()\n"
        )
    (folder / ".numba_config.yaml").write_text(f"cache_dir: {folder / 'pickles'}\n")
    return ran
