"""Errors that a user can mend.

Each message names the file or key at fault, the value found there, the value expected and the remedy, so programs may
print ``str(error)`` alone.
"""

from pathlib import Path


class UserError(Exception):
    """A fault outside the program that its user can mend.

    The message reads "WHERE: found FOUND; expected EXPECTED. REMEDY".

    Parameters
    ----------
    where : str or Path
        The file, key or option at fault.
    found : str
        The value or state found there, as a noun phrase.
    expected : str
        The value or state expected there, as a noun phrase.
    remedy : str
        Advice, as a sentence.

    Examples
    --------
    >>> print(UserError("--batch", "0", "at least 1", "Raise it."))
    --batch: found 0; expected at least 1. Raise it.
    """

    def __init__(self, where: str | Path, found: str, expected: str, remedy: str = "") -> None:
        self.where = printable(str(where))
        self.found = printable(found)
        self.expected = printable(expected)
        self.remedy = printable(remedy)
        message = f"{self.where}: found {self.found}; expected {self.expected}."
        super().__init__(f"{message} {self.remedy}" if remedy else message)

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        """Pickle the four arguments, so that the error survives the way out of a worker process."""
        # Exception pickles its args, which hold the message alone, and would call the constructor with that.
        return type(self), (self.where, self.found, self.expected, self.remedy)


class ConfigError(UserError):
    """A key of the configuration or of a data set's specification is wrong."""


class DataError(UserError):
    """A file of a data set is missing, unreadable, or differs from its specification."""


class MismatchError(UserError):
    """An image does not match the data that a run was trained on."""


class TrainingError(UserError):
    """A training cannot start or continue."""


class DeviceError(UserError):
    """The machine lacks the requested GPUs, or does not report its GPUs."""


class DownloadError(UserError):
    """A file cannot be downloaded, or differs from the published one."""


def printable(text: str) -> str:
    r"""Return a text with escapes in place of characters that a terminal does not print on one line.

    Examples
    --------
    >>> print(printable("a name\nof two lines"))
    a name\nof two lines
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def deepest_cause(error: BaseException) -> str:
    """Return the message of an exception's deepest cause on one line; its type's name where it has no message."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__


def system_reason(error: OSError) -> str:
    """Return what the operating system says of an error, as the middle of a sentence has it.

    Examples
    --------
    >>> system_reason(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    reason = error.strerror or deepest_cause(error)
    begins_with_a_word = reason[1:2].islower()  # no abbreviation such as GDAL
    return reason[:1].lower() + reason[1:] if begins_with_a_word else reason
