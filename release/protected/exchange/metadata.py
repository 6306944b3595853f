"""Metadata of the incumbent tools (.rda): which variable stands where in a data file, and what it is for.

Fixed format: a line `Name start width [missing …]` per variable; free format: `<SEPARATOR> ","` first, then
`Name [width [missing …]]` in the order of the fields. Indented options in angle brackets follow each variable.
Tables that are made already have the same form with roles for cells. Source: tau-ARGUS user's manual, metadata.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from release.errors import DataError, nearest
from release.protected.exchange.texts import text_of, write_text

Role = Literal[
    "dimension",
    "value",
    "shadow",
    "cost",
    "lower",
    "upper",
    "weight",
    "holding",
    "request",
    "frequency",
    "maxscore",
    "status",
    "other",
]
_TOKEN = re.compile(r'"([^"]*)"|(<[^>]*>)|(\S+)')
_ROLES: dict[str, Role] = {
    "<RECODEABLE>": "dimension",
    "<RECODABLE>": "dimension",
    "<NUMERIC>": "value",
    "<SHADOW>": "shadow",
    "<COST>": "cost",
    "<COSTVAR>": "cost",
    "<LOWERPL>": "lower",
    "<UPPERPL>": "upper",
    "<WEIGHT>": "weight",
    "<HOLDING>": "holding",
    "<REQUEST>": "request",
    "<FREQUENCY>": "frequency",
    "<MAXSCORE>": "maxscore",
    "<STATUS>": "status",
}
_OPTIONS = (
    *("<TOTCODE>", "<CODELIST>", "<HIERARCHICAL>", "<HIERCODELIST>", "<HIERLEADSTRING>", "<HIERLEVELS>"),
    *("<DECIMALS>", "<DISTANCE>"),
)
_WRITTEN: dict[Role, str] = {
    "dimension": "<RECODEABLE>",
    "value": "<NUMERIC>",
    "shadow": "<NUMERIC> <SHADOW>",
    "cost": "<NUMERIC> <COST>",
    "lower": "<NUMERIC> <LOWERPL>",
    "upper": "<NUMERIC> <UPPERPL>",
    "weight": "<WEIGHT>",
    "holding": "<HOLDING>",
    "frequency": "<FREQUENCY>",
    "maxscore": "<MAXSCORE>",
    "status": "<STATUS>",
    "request": "",
    "other": "",
}


@dataclass(frozen=True)
class Variable:
    """One field. start: 1 for the first character of a line, None in free format. width: characters, None if not told.

    hierarchy_levels: widths of the code's parts, from the coarsest. request: the codes that mean a request.
    """

    name: str
    role: Role = "other"
    start: int | None = None
    width: int | None = None
    missing: tuple[str, ...] = ()
    decimals: int = 0
    total: str | None = None
    code_list: str | None = None
    hierarchy_file: str | None = None
    hierarchy_lead: str = "@"
    hierarchy_levels: tuple[int, ...] = ()
    request: tuple[str, ...] = ()
    distances: tuple[int, ...] = ()


@dataclass(frozen=True)
class Metadata:
    """Variables in the order of the file. separator: None in fixed format. Status words: of tables made already."""

    variables: tuple[Variable, ...]
    separator: str | None = None
    status_words: dict[str, str] = field(default_factory=dict)

    def of_role(self, role: Role) -> tuple[Variable, ...]:
        return tuple(variable for variable in self.variables if variable.role == role)


def read_rda(path: Path, *, encoding: str | None = None) -> Metadata:
    """The metadata of a file. DataError with line number for what isn't known or doesn't fit together."""
    return metadata_of(text_of(path, encoding))


def write_rda(metadata: Metadata, path: Path, *, encoding: str = "utf-8") -> None:
    """Write the metadata; what `read_rda` reads back is the same."""
    write_text(path, rda_of(metadata), encoding)


def metadata_of(text: str) -> Metadata:
    """The metadata in the text of an .rda file."""
    separator, words, variables = None, {}, list[Variable]()
    for number, tokens in _token_lines(text):
        word = tokens[0].upper()
        if word == "<SEPARATOR>":
            separator = _argument(tokens, number)
        elif word in ("<SAFE>", "<UNSAFE>", "<PROTECT>"):
            words[word.strip("<>").lower()] = _argument(tokens, number)
        elif not word.startswith("<"):
            variables.append(_variable(tokens, number, fixed=separator is None))
        elif not variables:
            raise _wrong(number, f"the option {tokens[0]} stands before any variable")
        else:
            variables[-1] = _with_options(variables[-1], tokens, number)
    if not variables:
        raise _wrong(1, "it describes no variable")
    return Metadata(tuple(variables), separator, words)


def rda_of(metadata: Metadata) -> str:
    """The text of an .rda file."""
    head = [f'<SEPARATOR> "{metadata.separator}"'] if metadata.separator is not None else []
    words = [f"<{word.upper()}> {code}" for word, code in metadata.status_words.items()]
    lines = [line for variable in metadata.variables for line in _variable_lines(variable)]
    return "\n".join([*head, *words, *lines]) + "\n"


def _token_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        tokens = [quoted or option or bare for quoted, option, bare in _TOKEN.findall(line)]
        if tokens and not tokens[0].startswith("//"):
            yield number, tokens


def _argument(tokens: Sequence[str], number: int) -> str:
    if len(tokens) < 2:
        raise _wrong(number, f"{tokens[0]} has no argument")
    return tokens[1]


def _variable(tokens: Sequence[str], number: int, *, fixed: bool) -> Variable:
    """`Name start width missing…` in fixed format, `Name [width] missing…` in free format."""
    numbers: list[int] = []
    rest = list(tokens[1:])
    while rest and rest[0].isdigit() and len(numbers) < (2 if fixed else 1):
        numbers.append(int(rest.pop(0)))
    if fixed and len(numbers) < 2:
        raise _wrong(number, f'the variable "{tokens[0]}" has no start and width, and no <SEPARATOR> is told')
    start, width = numbers if fixed else (None, numbers[0] if numbers else None)
    return Variable(tokens[0], start=start, width=width, missing=tuple(rest))


def _with_options(variable: Variable, tokens: Sequence[str], number: int) -> Variable:
    """A line of options; several may stand on one line, as in `<NUMERIC> <SHADOW>`."""
    for option, arguments in _grouped(tokens):
        if option in _ROLES:
            variable = replace(variable, role=_ROLES[option], request=tuple(arguments) or variable.request)
        elif option in _OPTIONS:
            variable = _with_option(variable, option, arguments, number)
        else:
            raise _wrong(number, f"the option {option} isn't known: {nearest(option, (*_ROLES, *_OPTIONS))}")
    return variable


def _grouped(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    option, arguments = tokens[0].upper(), list[str]()
    for token in tokens[1:]:
        if token.startswith("<"):
            yield option, arguments
            option, arguments = token.upper(), []
        else:
            arguments.append(token)
    yield option, arguments


def _with_option(variable: Variable, option: str, arguments: Sequence[str], number: int) -> Variable:
    if option == "<HIERARCHICAL>":
        return variable
    if not arguments:
        raise _wrong(number, f"{option} has no argument")
    if option == "<TOTCODE>":
        return replace(variable, total=arguments[0])
    if option == "<CODELIST>":
        return replace(variable, code_list=arguments[0])
    if option == "<HIERCODELIST>":
        return replace(variable, hierarchy_file=arguments[0])
    if option == "<HIERLEADSTRING>":
        return replace(variable, hierarchy_lead=arguments[0])
    return _with_numbers(variable, option, arguments, number)


def _with_numbers(variable: Variable, option: str, arguments: Sequence[str], number: int) -> Variable:
    if not all(argument.isdigit() for argument in arguments):
        raise _wrong(number, f"{option} takes whole numbers")
    numbers = tuple(int(argument) for argument in arguments)
    if option == "<DECIMALS>":
        return replace(variable, decimals=numbers[0])
    if option == "<HIERLEVELS>":
        return replace(variable, hierarchy_levels=numbers)
    return replace(variable, distances=numbers)


def _variable_lines(variable: Variable) -> Iterable[str]:
    place = [str(number) for number in (variable.start, variable.width) if number is not None]
    yield " ".join([variable.name, *place, *(f'"{code}"' for code in variable.missing)])
    yield from (f"  {line}" for line in _option_lines(variable) if line)


def _option_lines(variable: Variable) -> Iterable[str]:
    yield _WRITTEN[variable.role]
    if variable.role == "request":
        yield " ".join(["<REQUEST>", *(f'"{code}"' for code in variable.request)])
    yield f'<TOTCODE> "{variable.total}"' if variable.total is not None else ""
    yield f"<DISTANCE> {' '.join(map(str, variable.distances))}" if variable.distances else ""
    yield f'<CODELIST> "{variable.code_list}"' if variable.code_list else ""
    if variable.hierarchy_file:
        yield f'<HIERARCHICAL>\n  <HIERCODELIST> "{variable.hierarchy_file}"'
        yield f'<HIERLEADSTRING> "{variable.hierarchy_lead}"'
    if variable.hierarchy_levels:
        yield f"<HIERARCHICAL>\n  <HIERLEVELS> {' '.join(map(str, variable.hierarchy_levels))}"
    yield f"<DECIMALS> {variable.decimals}" if variable.decimals else ""


def _wrong(number: int, why: str) -> DataError:
    return DataError(f"the metadata can't be understood: {why}", where=f"line {number}", now="correct the .rda file")
