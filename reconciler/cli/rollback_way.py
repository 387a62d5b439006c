"""Where a rollback leads: the commit, what is known of both ends, and the files that it is about."""

from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING

from reconciler.cli.failure import Failure
from reconciler.cli.session import Session
from reconciler.plan.selection import Selection, select
from reconciler.registry.commits import subjects, taking_back
from reconciler.registry.registry import ModelEntry, Registry
from reconciler.registry.repository import RegistryRepository
from reconciler.state.live import LiveState
from reconciler.state.names import GATEWAY_APPLICATION, application_name
from reconciler.state.provenance import Record
from reconciler.state.way_back import last_good
from reconciler.views.rollback_text import Way

if TYPE_CHECKING:
    from git import Commit


def destination(repository: RegistryRepository, records: tuple[Record, ...], name: str | None) -> "Commit":
    """The commit that is named, or that of the last good apply. Raises Failure where there is none."""
    if name is not None:
        return repository.commit(name)
    good = last_good(records)
    if good is not None and good.commit is not None:
        return repository.commit(good.commit)
    if not records:
        raise Failure("the cluster remembers no apply of this registry", "name the commit to go back to with `--to`")
    raise Failure(
        "no apply of another commit that ended well is remembered before the present one",
        "`reconcile history` shows what is; name the commit to go back to with `--to`",
    )


def way_back(repository: RegistryRepository, records: tuple[Record, ...], commit: "Commit", paths: list[str]) -> Way:
    """What the cluster and git say about the last apply and about the commit to go to."""
    present = records[0] if records else None
    hashes = [one.commit for one in records[:1] if one.commit]
    return Way(
        present=present,
        present_subject=subjects(repository, hashes).get(hashes[0]) if hashes else None,
        to=commit.hexsha,
        to_subject=str(commit.summary),
        applied=next((record for record in records if record.commit == commit.hexsha and not record.dirty), None),
        head=repository.git.head.commit.hexsha,
        taking_back=taking_back(repository, commit.hexsha, paths),
    )


def paths_of(
    repository: RegistryRepository, session: Session, today: Registry, live: LiveState, models: tuple[str, ...]
) -> list[str]:
    """What of the repository the rollback is about: the registry, or the files of the models, then and now."""
    selection = select(models, session.target.desired, live)
    if selection is None:
        return [repository.folder]
    then, now = session.target.registry.models, today.models
    files = {entry.file.partition(":")[2] for entry in then if _is_in(entry, selection)}
    files |= {repository.path_of(Path(entry.file)) for entry in now if _is_in(entry, selection)}
    if GATEWAY_APPLICATION in selection.chosen:
        files.add(f"{repository.folder}/clusters/{session.target.entry.name}.yaml")
    return sorted({normpath(file) for file in files})


def _is_in(entry: ModelEntry, selection: Selection) -> bool:
    return application_name(entry.model_id) in selection.chosen
