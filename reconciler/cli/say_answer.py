"""An answer of a model, piece by piece."""

from collections.abc import Iterable

from reconciler.cli.console import Console
from reconciler.serve.gateway import Piece
from reconciler.views.printable import prose


def say_answer(pieces: Iterable[Piece], console: Console, said: list[str] | None = None) -> None:
    """Print the text of an answer as it comes, and end its last line. What the model thinks before goes to stderr.

    `said` gets what was said so far, also when something ends the answer early.
    """
    said = [] if said is None else said
    thought, finish = False, None
    try:
        for piece in pieces:
            if piece.reasoning:
                thought = True
                console.note_part(console.note_style.dim(prose(piece.reasoning)))
            if piece.text:
                if thought and not said:
                    console.note("")
                said.append(piece.text)
                console.out(prose(piece.text) if console.is_read_by_person else piece.text)
            finish = piece.finish or finish
    finally:
        if said and not said[-1].endswith("\n"):
            console.out("\n")
    if finish == "length":
        console.note(console.note_style.dim("the answer ends here because it has as many tokens as it may"))
