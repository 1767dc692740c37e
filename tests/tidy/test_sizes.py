"""Nothing grows too large to be read at once.

The tables hold what is larger for now, with its exact size: an entry may shrink and go, never grow.
"""

from tests.tidy.tree import Function, functions, python_files, text

FUNCTION_LINES_MAX = 40
MODULE_LINES_MAX = 300
MODULE_LINES_HARD_MAX = 400
PARAMETERS_MAX = 5

# "path::qualified.name": lines, with the reason beside it.
LONG_FUNCTIONS: dict[str, int] = {}
# "path": lines, with the reason beside it.
LONG_MODULES: dict[str, int] = {}
# "path::qualified.name": parameters, with the reason beside it.
MANY_PARAMETERS: dict[str, int] = {
    # A command's options are its parameters: nobody calls it but the command line.
    "tideline/commands/demo.py::demo": 9,
    "tideline/commands/preview.py::preview": 8,
}


def body_lines(function: Function) -> int:
    """Lines of a function's body, its docstring left out."""
    first, *rest = function.body
    is_docstring = getattr(getattr(first, "value", None), "value", None).__class__ is str
    if is_docstring and not rest:
        return 0
    start = rest[0] if is_docstring else first
    return (function.end_lineno or start.lineno) - start.lineno + 1


def parameters(function: Function) -> int:
    """Parameters that a caller has to know, so without self and cls."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    bound = bool(positional) and positional[0].arg in {"self", "cls"}
    return len(positional) + len(arguments.kwonlyargs) - bound


def test_functions_fit_on_a_screen() -> None:
    """No function body is longer than 40 lines, but for those listed with their exact size."""
    sizes = {
        f"{name}::{where}": body_lines(function)
        for name in python_files()
        for where, function in functions(name)
    }
    assert {where: n for where, n in sizes.items() if n > FUNCTION_LINES_MAX} == LONG_FUNCTIONS


def test_modules_can_be_read_at_once() -> None:
    """No module is longer than 300 lines, but for those listed with their exact size."""
    sizes = {name: len(text(name).splitlines()) for name in python_files()}
    assert {name: n for name, n in sizes.items() if n > MODULE_LINES_MAX} == LONG_MODULES


def test_no_exception_reaches_the_hard_limit() -> None:
    """Not even a listed module is longer than 400 lines."""
    assert {name: n for name, n in LONG_MODULES.items() if n > MODULE_LINES_HARD_MAX} == {}


def test_calls_stay_short() -> None:
    """No function takes more than five parameters, but for those listed with their exact number."""
    counts = {
        f"{name}::{where}": parameters(function)
        for name in python_files()
        for where, function in functions(name)
    }
    assert {where: n for where, n in counts.items() if n > PARAMETERS_MAX} == MANY_PARAMETERS
