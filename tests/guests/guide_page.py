"""Runs the command lines of a page of docs/guides as its reader would.

    guide_page.py PAGE

Every indented block of the page must be one of commands: a line that begins with `$ ` is run, and
what follows it up to the next one is the output that it must have (`...` stands for anything;
without any, only the exit status 0 counts). A here-document or a backslash at a line's end goes
on. A line that begins with `# apt-get ` is for root: it is tried with --simulate, which changes
nothing. Fenced blocks are refused, so that nothing on a page goes unrun.

All commands of a page run in one shell, in an empty folder, which is also the home. Exit status 0
if all went as the page says; standard error has what did not.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

SECONDS_MAX = 240


class WrongPage(Exception):
    """The page itself is not as the text above says."""


@dataclass
class Command:
    line: int
    text: str
    output: list[str] = field(default_factory=list)


def blocks_of(page):
    """The indented blocks: lists of (number, line without its indent)."""
    block = []
    for number, line in enumerate([*page.splitlines(), "the end"], start=1):
        if line.startswith("```"):
            raise WrongPage(f"line {number}: a fenced block; indent commands by four spaces")
        if line.startswith("    "):
            block.append((number, line[4:]))
        elif not line.strip() and block:
            block.append((number, ""))
        elif block:
            while not block[-1][1]:
                block.pop()
            yield block
            block = []


def commands_of(page):
    """The commands of a page in their order."""
    commands = []
    for block in blocks_of(page):
        lines = iter(block)
        if not block[0][1].startswith(("$ ", "# apt-get ")):
            raise WrongPage(f"line {block[0][0]}: a block that begins with no command")
        for number, line in lines:
            if line.startswith("# apt-get "):
                commands.append(Command(number, "apt-get --simulate " + line[len("# apt-get ") :]))
            elif line.startswith("$ "):
                text = line[2:]
                while text.endswith("\\"):
                    text += "\n" + next(lines)[1]
                here = re.search(r"<<'?(\w+)'?", text)
                while here and not text.endswith("\n" + here[1]):
                    try:
                        text += "\n" + next(lines)[1]
                    except StopIteration:
                        raise WrongPage(f"line {number}: {here[1]} is missing") from None
                commands.append(Command(number, text))
            else:
                commands[-1].output.append(line)
    for command in commands:
        while command.output and not command.output[-1]:
            command.output.pop()  # Blank lines between two commands are no output.
    if not commands:
        raise WrongPage("no commands")
    return commands


def script_of(commands, results):
    """One script for bash; command N leaves N.out, N.err and N.status in the folder `results`."""
    parts = ["set -o pipefail"]
    for number, command in enumerate(commands):
        name = f"'{results}/{number}'"
        parts.append(f"{{\n{command.text}\n}} >{name}.out 2>{name}.err")
        parts.append(f"status=$?; echo $status >{name}.status; [ $status = 0 ] || exit 1")
    return "\n".join(parts) + "\n"


def is_as_shown(shown, given):
    pattern = re.escape("\n".join(shown)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, given.rstrip("\n"), re.DOTALL) is not None


def text_of(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def first_difference(commands, results):
    """What did not go as the page says; None if all did."""
    for number, command in enumerate(commands):
        path = f"{results}/{number}"
        out, err = text_of(path + ".out"), text_of(path + ".err")
        status = text_of(path + ".status").strip()
        if status != "0":
            why = f"gave exit status {status}" if status else "did not end"
        elif command.output and not is_as_shown(command.output, out):
            why = "gave another output than the page shows"
        else:
            continue
        return f"line {command.line}: $ {command.text}\n{why}:\n{out}\nstandard error:\n{err}"
    return None


def run_page(page):
    """What did not go as the page says; None if all did."""
    commands = commands_of(page)
    with tempfile.TemporaryDirectory() as results, tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            ["bash", "-c", script_of(commands, results)],
            cwd=home,
            env={**os.environ, "HOME": home},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            pass  # The command at hand has no status.
        try:
            os.killpg(process.pid, signal.SIGKILL)  # Also what the page left in the background.
        except ProcessLookupError:
            pass
        process.wait()
        return first_difference(commands, results)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        page = file.read()
    try:
        wrong = run_page(page)
    except WrongPage as error:
        wrong = str(error)
    if wrong:
        print(f"{sys.argv[1]}: {wrong}", file=sys.stderr)
        return 1
    print(f"{len(commands_of(page))} commands")
    return 0


if __name__ == "__main__":
    sys.exit(main())
