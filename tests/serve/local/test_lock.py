import subprocess
from pathlib import Path

from reconciler.serve.local.lock import locked


def test_git_never_sees_what_the_state_folder_holds(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    with locked(tmp_path / ".reconciler" / "local"):
        (tmp_path / ".reconciler" / "local" / "token").write_text("secret")
    (tmp_path / "seen").write_text("")
    status = ["git", "-C", tmp_path, "status", "--porcelain", "--untracked-files=all"]
    assert subprocess.run(status, check=True, capture_output=True, text=True).stdout == "?? seen\n"
