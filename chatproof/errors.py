"""What ends a command without a traceback: one line, and an exit code.

    CommandError
    ├── WrongUse      exit code 2: a wrong option, plan, file or target; the line says what to change
    ├── CannotRun     exit code 3: this machine cannot (a port, a limit, a program, a full disk)
    └── Interrupted   exit code 130: by the user, before there was anything to judge

Every other room has errors of its own; `commands.told` turns them into these.
"""


class CommandError(Exception):
    """`str` is the line, `exit_code` the code."""

    exit_code = 2


class WrongUse(CommandError):
    """The user can mend it."""

    exit_code = 2


class CannotRun(CommandError):
    """The machine cannot do what was asked."""

    exit_code = 3


class Interrupted(CommandError):
    """The user wanted no more of it."""

    exit_code = 130
