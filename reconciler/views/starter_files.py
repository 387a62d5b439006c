"""The files that a new registry repository begins with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

UNKNOWN_DASHBOARD = "https://ray.example.com:8265"
UNKNOWN_GATEWAY = "https://models.example.com"
UNKNOWN_SOURCE = "https://github.com/OWNER/reconciler"
UNKNOWN_COMMIT = "0" * 40
FILL_IN = "FILL IN"
"""What marks a place that somebody has to fill in."""


@dataclass(frozen=True, slots=True)
class Starter:
    """What a new registry repository is for. Addresses, source and commit may be the unknown ones of this module."""

    cluster: str
    owner: str
    local: bool
    ci: str
    """`github`, `gitlab` or `none`."""
    branch: str
    """Where merges go to."""
    accelerator: str
    """Type of the first model's GPU, as Ray calls it."""
    dashboard: str = UNKNOWN_DASHBOARD
    gateway: str = UNKNOWN_GATEWAY
    source: str = UNKNOWN_SOURCE
    """Address of the git repository that reconciler is installed from."""
    commit: str = UNKNOWN_COMMIT

    @property
    def is_unknown(self) -> bool:
        """Whether somebody has to fill in where reconciler comes from."""
        return self.source == UNKNOWN_SOURCE or self.commit == UNKNOWN_COMMIT

    @property
    def slug(self) -> str:
        """Owner and name of reconciler's repository, for `uses:`."""
        return "/".join(self.source.removesuffix(".git").split("/")[-2:])

    @property
    def constraints(self) -> str | None:
        """Where the versions are that reconciler was tried with; None where the address of a file cannot be told."""
        if not self.source.startswith("https://github.com/"):
            return None
        return f"https://raw.githubusercontent.com/{self.slug}/{self.commit}/constraints.txt"


def starter_files(starter: Starter) -> Mapping[str, str]:
    """The text of each file by its path from the top of the repository, the schemas left out."""
    kind = "local-" if starter.local else ""
    model = "local--tiny-chat" if starter.local else "Qwen--Qwen3-4B-Instruct-2507"
    templates = {
        f"registry/{model}.yaml": f"{kind}model.yaml",
        f"registry/clusters/{starter.cluster}.yaml": f"{kind}cluster.yaml",
        **{
            "github": {".github/workflows/models.yml": "github.yml"},
            "gitlab": {".gitlab-ci.yml": "gitlab.yml"},
        }.get(starter.ci, {}),
        ".pre-commit-config.yaml": "pre-commit.yaml",
        ".gitignore": "gitignore",
        ".vscode/settings.json": "vscode-settings.json",
        ".vscode/extensions.json": "vscode-extensions.json",
        "README.md": "README.md",
    }
    return {path: _rendered(template, starter) for path, template in templates.items()}


def _rendered(template: str, starter: Starter) -> str:
    # `{{` is GitHub's.
    environment = Environment(
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # YAML and Markdown; what goes in was checked by the command.
    )
    text = (files("reconciler.views") / "starter" / template).read_text(encoding="utf-8")
    unknown = {"dashboard": UNKNOWN_DASHBOARD, "gateway": UNKNOWN_GATEWAY}
    return environment.from_string(text).render(
        asdict(starter),
        unknown=unknown,
        is_unknown=starter.is_unknown,
        slug=starter.slug,
        constraints=starter.constraints,
    )
