"""Where the generated files are."""

from pathlib import Path


def schemas_folder() -> Path:
    """The folder of generated files: inside the package when it is installed, beside it in the repository."""
    package = Path(__file__).parents[1]
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"
