"""Files that travel with an application."""

import os
import tempfile
from typing import Optional

from pyspark.errors import PySparkRuntimeError

__all__ = ["SparkFiles"]


class SparkFiles:
    """Finds files added by `SparkContext.addFile`; used through its class methods, here and in tasks."""

    # Set by PySpark's worker before a task begins.
    _root_directory: Optional[str] = None
    _is_running_on_worker: bool = False

    def __init__(self) -> None:
        raise NotImplementedError("Do not construct SparkFiles objects")

    @classmethod
    def get(cls, filename: str) -> str:
        """The absolute path of an added file."""
        return os.path.abspath(os.path.join(cls.getRootDirectory(), filename))

    @classmethod
    def getRootDirectory(cls) -> str:
        """The directory with the added files."""
        if cls._root_directory is None:
            if cls._is_running_on_worker:
                raise PySparkRuntimeError("this task knows no directory of added files")
            cls._root_directory = tempfile.mkdtemp(prefix="firesteel-files-")
        return cls._root_directory
