"""The errors a user meets.

Each names the file or key at fault, what was found there, what was expected, and what to do about it.
Programs that print only ``str(error)`` therefore say all that is needed.
"""

from pathlib import Path


class UserError(Exception):
    """Something outside the program that its user can mend.

    Parameters
    ----------
    where : str or Path
        The file, key or option at fault.
    found : str
        What was found there.
    expected : str
        What should have been there.
    remedy : str
        What to do about it, as a sentence.
    """

    def __init__(self, where: str | Path, found: str, expected: str, remedy: str = "") -> None:
        self.where = str(where)
        self.found = found
        self.expected = expected
        self.remedy = remedy
        message = f"{where}: found {found}; expected {expected}."
        super().__init__(f"{message} {remedy}" if remedy else message)

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        """Pickle what it says, so that it comes out of a worker process as it is."""
        return type(self), (self.where, self.found, self.expected, self.remedy)


class ConfigError(UserError):
    """A key of the configuration or of a data set's specification is wrong."""


class DataError(UserError):
    """A file of a data set is missing, unreadable, or not what its specification says."""


class MismatchError(UserError):
    """An image does not match what a trained run was trained on."""


class TrainingError(UserError):
    """A training cannot start or go on."""


class DeviceError(UserError):
    """The machine does not have the GPUs that are asked for, or does not say which it has."""


class DownloadError(UserError):
    """A file cannot be fetched, or is not the one that was published."""


def deepest_cause(error: BaseException) -> str:
    """Return the message of the deepest cause of an exception, on one line; its type's name where it has none."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__
