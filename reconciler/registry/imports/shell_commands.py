"""The calls of one program in a shell script, as words with their places.

Only as much of a shell as a command line needs: quotes, escapes, continued lines, comments, and the ends of commands.
A variable becomes the reference `${env:NAME}`; what only a running shell can know is a problem of its word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.diagnostics import Position
from reconciler.registry.source_text import text_position

_ENDS = frozenset(";&|()\n")
_BREAKS = _ENDS | frozenset(" \t<>")
_PLACEHOLDER = re.compile(r"<[^\s<>;&|]([^<>;&|\n]*[^\s<>;&|])?>")
_REDIRECTION = re.compile(r"[0-9]*(?:>>?|<)(?:&[0-9]|[ \t]*[^\s;&|()<>]*)")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_ASSIGNMENT = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=", re.MULTILINE)
_BEFORE = r"(?:[$>%!][ \t]+|sudo[ \t]+|nohup[ \t]+|exec[ \t]+|time[ \t]+|[A-Za-z_][A-Za-z0-9_]*=\S*[ \t]+)*"


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command after quotes and escapes, with references for variables."""

    text: str
    position: Position
    problem: str | None = None
    """Why the text is not what the program would get."""


@dataclass(frozen=True, slots=True)
class Command:
    """One call: the program's name is the first word."""

    words: tuple[Word, ...]

    @property
    def position(self) -> Position:
        """Where the program's name stands."""
        return self.words[0].position


def find_commands(file: str, text: str, programs: str, subcommands: frozenset[str]) -> Iterator[Command]:
    """The calls of the programs that the regular expression `programs` matches, in the order of the text.

    At the start of a line every call counts; anywhere else only one of a known subcommand, so that prose about the
    program is no call of it.
    """
    start_of_line = re.compile(rf"[ \t;&|()]*{_BEFORE}(?:/\S*/)?(?={programs}(?:[ \t\\]|$))")
    anywhere = re.compile(rf"(?<![\w-])(?:{programs})(?=[ \t\\])")
    offset = 0
    while offset < len(text):
        end = text.find("\n", offset)
        end = len(text) if end < 0 else end
        line = text[offset:end]
        begin = None
        if not line.lstrip().startswith("#"):
            at_start = start_of_line.match(line)
            found = anywhere.search(line) if at_start is None else None
            begin = at_start.end() if at_start else found.start() if found else None
            if begin is not None:
                words, after = _words(file, text, offset + begin)
                if at_start or (len(words) > 1 and words[1].text in subcommands):
                    yield Command(tuple(words))
                    # What follows on the same line may be another call.
                    offset = max(after, offset + begin + 1)
                    continue
        offset = end + 1


def assigned_variables(file: str, text: str) -> dict[str, Position]:
    """The variables that the script itself sets, each at the first place."""
    found: dict[str, Position] = {}
    for match in _ASSIGNMENT.finditer(text):
        found.setdefault(match[1], text_position(file, text, match.start(1)))
    return found


def _words(file: str, text: str, offset: int) -> tuple[list[Word], int]:
    """The words from `offset` to the end of the command, and where that is."""
    words: list[Word] = []
    while True:
        offset = _skip_blanks(text, offset)
        if offset >= len(text) or text[offset] in _ENDS:
            return words, offset
        if text[offset] == "#":
            end = text.find("\n", offset)
            return words, len(text) if end < 0 else end
        redirection = _REDIRECTION.match(text, offset)
        placeholder = _PLACEHOLDER.match(text, offset)
        if placeholder:
            position = text_position(file, text, offset)
            words.append(Word(placeholder[0], position, "this is a placeholder"))
            offset = placeholder.end()
            continue
        if redirection:
            offset = redirection.end()
            continue
        word, offset = _word(file, text, offset)
        words.append(word)


def _skip_blanks(text: str, offset: int) -> int:
    while offset < len(text):
        if text.startswith("\\\n", offset):
            offset += 2
        elif text[offset] in " \t":
            offset += 1
        else:
            break
    return offset


def _word(file: str, text: str, offset: int) -> tuple[Word, int]:
    begin, parts, problem, quote = offset, [], None, ""
    while offset < len(text):
        character = text[offset]
        if quote == "'" or (quote and character == quote):
            if character == quote:
                quote = ""
            else:
                parts.append(character)
            offset += 1
        elif not quote and character in _BREAKS:
            break
        elif character in "'\"" and not quote:
            quote = character
            offset += 1
        elif character == "\\":
            following = text[offset + 1 : offset + 2]
            # Inside double quotes a backslash stands for itself before most characters.
            parts.append(character if quote and following not in '"\\$`\n' else "")
            parts.append("" if following == "\n" else following)
            offset += 2
        elif match := _VARIABLE.match(text, offset):
            parts.append(f"${{env:{match[1] or match[2]}}}")
            offset = match.end()
        elif character in "`$":
            problem = problem or "only a running shell knows what this word is"
            parts.append(character)
            offset += 1
            if character == "`" and 0 < text.find("`", offset) < (text.find("\n", offset) + 1 or len(text)):
                offset = text.find("`", offset) + 1
            elif text.startswith("(", offset):
                offset = _after_parenthesis(text, offset)
        else:
            parts.append(character)
            offset += 1
    position = text_position(file, text, begin)
    if quote:
        line_end = text.find("\n", begin)
        end = len(text) if line_end < 0 else line_end
        return Word(text[begin:end], position, "the quote that begins here does not end"), end
    return Word("".join(parts), position, problem), offset


def _after_parenthesis(text: str, offset: int) -> int:
    """Behind the parenthesis that opens at `offset`, or at the end of the line."""
    depth = 0
    while offset < len(text) and text[offset] != "\n":
        depth += {"(": 1, ")": -1}.get(text[offset], 0)
        offset += 1
        if depth == 0:
            break
    return offset
