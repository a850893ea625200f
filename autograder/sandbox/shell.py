"""IPython's shell without a kernel, for the runner inside the sandbox: cells in, outputs out.

Imported there as a plain file (see `runner`), so it imports the standard library only, and IPython
when it starts.
"""

import ast
import builtins
import contextlib
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Magics that run code, whose exceptions are the learner's. Other magics that fail here are ignored:
# they change how the notebook looks, or need tools that a sandbox does not have.
RUNNERS = ("time", "timeit", "prun", "run", "debug", "pdb", "capture", "python", "bash", "sh")
MISSING = (ImportError, OSError, EOFError)  # raised by what only the learner's machine has


class Stream(io.TextIOBase):
    """A stand-in for stdout or stderr that writes to the outputs of the current cell."""

    encoding = "utf-8"

    def __init__(self, name: str, kernel: "Kernel") -> None:
        self._name, self._kernel = name, kernel

    def write(self, text: str) -> int:
        """Append; TypeError for anything but text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._kernel.outputs.text(self._name, text)
        return len(text)

    def writable(self) -> bool:
        """Return True: it always is."""
        return True


class Kernel:
    """IPython's shell: cells in, outputs out; `outputs` is the class that collects those."""

    def __init__(self, cap: int, outputs: Any) -> None:
        from IPython.core.displayhook import DisplayHook
        from IPython.core.displaypub import DisplayPublisher
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets import Type
        from traitlets.config import Config

        kernel = self
        self.cap, self.outputs, self._fresh = cap, outputs(cap), outputs

        class Hook(DisplayHook):
            def write_output_prompt(self) -> None: ...
            def finish_displayhook(self) -> None: ...
            def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
                kernel.outputs.add("execute_result", format_dict, execution_count=self.prompt_count)

        class Publisher(DisplayPublisher):
            def publish(self, data: Any, metadata: Any = None, *_: Any, **__: Any) -> None:
                kernel.outputs.add("display_data", data)

            def clear_output(self, wait: bool = False) -> None:
                kernel.outputs = outputs(kernel.outputs.left)

        class Shell(InteractiveShell):
            displayhook_class = Type(Hook)
            display_pub_class = Type(Publisher)

            def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
                try:
                    return super().run_line_magic(magic_name, line, _stack_depth + 1)
                except Exception as error:
                    _skip("%" + magic_name, error)

            def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
                shell: Any = super()
                if shell.find_cell_magic(magic_name) is None:
                    _skip("%%" + magic_name, None)
                    return shell.ex(shell.transform_cell(cell))
                return shell.run_cell_magic(magic_name, line, cell)

            async def run_ast_nodes(
                self,
                nodelist: list[ast.stmt],
                cell_name: str,
                interactivity: str = "last_expr",
                compiler: Any = compile,
                result: Any = None,
            ) -> bool:
                run: Any = super().run_ast_nodes
                stopped = bool(await run(nodelist, cell_name, interactivity, compiler, result))
                if stopped and result is not None and result.error_in_exec is not None:
                    error = result.error_in_exec
                    known = {} if isinstance(error, MISSING) else dict(self.user_ns)
                    below = _below(nodelist, cell_name, error)
                    _define(below, cell_name, compiler, self.user_ns, known)
                return stopped

            def enable_gui(self, gui: Any = None) -> None: ...
            def init_virtualenv(self) -> None: ...
            def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
                kernel.outputs.error(etype.__name__, str(evalue), stb)

        options = {"colors": "nocolor", "xmode": "Plain", "autoindent": False, "cache_size": 100}
        history = {"enabled": False}
        config = Config({"InteractiveShell": options, "HistoryManager": history})
        self.shell = Shell.instance(config=config)
        self._run_cell: Any = self.shell.run_cell
        sys.stdout, sys.stderr = Stream("stdout", self), Stream("stderr", self)
        builtins.input = _no_input

    def run(self, source: str) -> tuple[list[dict[str, Any]], int]:
        """Execute one cell; its outputs and its number."""
        self.outputs = self._fresh(self.cap)
        self.shell.ast_transformers.clear()  # each cell means what it says
        count = self.shell.execution_count
        self._run_cell(source, store_history=True)
        done, self.outputs = self.outputs, self._fresh(0)
        self.outputs.left = -1
        return done.finish(), count


def _skip(magic: str, error: Exception | None) -> None:
    """Say that a magic was passed over; raise what came of one that runs code."""
    if error is not None and magic.lstrip("%") in RUNNERS:
        raise error
    why = f" ({type(error).__name__})" if error else ""
    print(f"{magic} does not work while grading{why} and was passed over", file=sys.stderr)


def _below(nodes: Sequence[ast.stmt], cell: str, error: BaseException) -> list[ast.stmt]:
    """Return the statements of a cell below the one that raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != cell:
        trace = trace.tb_next
    return [node for node in nodes if trace is not None and node.lineno > trace.tb_lineno]


def _define(
    nodes: Sequence[ast.stmt],
    cell: str,
    compiler: Any,
    user: dict[str, Any],
    known: Mapping[str, Any],
) -> None:
    """Run those statements that define only unknown names, and say so.

    What raised here may work on the learner's machine, which has the module, the file, the device,
    or the library's solution to compare with. A known name keeps its value.
    """
    defined = []
    for node in nodes:
        names = set(_bound(node))
        if names and not names & set(known):
            with contextlib.suppress(BaseException):
                exec(compiler(ast.Module([node], []), cell, "exec"), user)
                defined += sorted(names & set(user))
    if defined:
        print(
            f"the lines below this error were used to define {', '.join(defined)}", file=sys.stderr
        )


def _bound(node: ast.stmt) -> Iterator[str]:
    """Yield the names that an import, a definition or an assignment gives a value."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((item.asname or item.name).split(".")[0] for item in node.names)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        stored = (part for target in targets for part in ast.walk(target))
        yield from (part.id for part in stored if isinstance(part, ast.Name) and _stores(part))


def _stores(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _no_input(*_: object) -> str:
    raise EOFError("input() has nobody to ask while grading: give the value in the code instead")
