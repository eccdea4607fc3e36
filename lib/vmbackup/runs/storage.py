"""Where the files of a run are: a local folder, or any fsspec URL (``abfs://``, ``s3://`` …).

A local file is replaced by renaming, readable by its owner alone, and never written or read through a link, a pipe or a
device. An object is put whole; who may read it is the store's business.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from vmbackup.sanitize import shortened

LARGEST = 50 * 1024**2
"""Bytes; no file of a run comes near it."""
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


class Storage(Protocol):
    """A folder of named files. Every method raises OSError, and ``read`` returns None for a file that is not there."""

    def read(self, name: str, largest: int = LARGEST) -> bytes | None:
        """The whole file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Replace the whole file; a reader sees the old or the new content, never a mix."""
        ...

    def write_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """The same for a file that is made line by line, and may be too large to hold."""
        ...

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of such a file, none where there is no file."""
        ...

    def append(self, name: str, line: bytes) -> None:
        """Add a line, on disk when this returns; a line that a crash cut off is ended first."""
        ...

    def create(self, name: str, content: bytes) -> bool:
        """Write the file only if there is none; False when there is."""
        ...

    def rename(self, name: str, to: str) -> None:
        """Give a file another name."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...


def is_url(place: str) -> bool:
    """Whether a place is an fsspec URL; ``file://`` is a local path by another name."""
    return "://" in place and not place.startswith(("file://", "local://"))


def at(place: str | os.PathLike[str]) -> Storage:
    """The storage that a path or an fsspec URL names. Raises OSError or ImportError where it cannot be opened."""
    name = os.fspath(place)
    return ObjectStorage(name) if is_url(name) else LocalStorage(Path(name.split("://", 1)[-1]))


def read_input(place: str, largest: int = LARGEST) -> bytes:
    """A file that the operator named, by path or URL. Raises OSError, also for a pipe or a device."""
    if is_url(place):
        folder, _, name = place.rpartition("/")
        content = ObjectStorage(folder).read(name, largest)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return content
    return _read(Path(place), largest, follow=True)


def why(error: Exception) -> str:
    """What the system says of an error, without the name of the file."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _read(path: Path, largest: int, *, follow: bool) -> bytes:
    handle = os.open(path, os.O_RDONLY | _NO_WAIT | (0 if follow else _NO_LINK))
    with os.fdopen(handle, "rb") as file:
        _require_file(handle)
        # Memory is taken for as much as is asked for.
        return _bounded(file.read(min(os.fstat(handle).st_size, largest) + 1), largest)


def _require_file(handle: int) -> None:
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")


def _bounded(content: bytes, largest: int) -> bytes:
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest // 1024**2} MB")
    return content


class LocalStorage:
    """A folder on this machine, made when the first file is written. What is made is for its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: list[Path] = []

    def __str__(self) -> str:
        return str(self.folder)

    def read(self, name: str, largest: int = LARGEST) -> bytes | None:
        """The whole file."""
        try:
            return _read(self.folder / name, largest, follow=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write beside it, then rename."""
        self.write_lines(name, (content,))

    def write_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """Write beside it, then rename."""
        self.make()
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.folder / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of the file."""
        try:
            handle = os.open(self.folder / name, os.O_RDONLY | _NO_WAIT | _NO_LINK)
        except (FileNotFoundError, NotADirectoryError):
            return
        with os.fdopen(handle, "rb") as file:
            _require_file(handle)
            yield from file

    def append(self, name: str, line: bytes) -> None:
        """Add a line in one write, and wait until it is on disk."""
        self.make()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _NO_LINK | _NO_WAIT
        handle = os.open(self.folder / name, flags, 0o600)
        try:
            _require_file(handle)
            content = _line_end(handle) + line
            if os.write(handle, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)

    def create(self, name: str, content: bytes) -> bool:
        """Write the file only if there is none."""
        self.make()
        try:
            handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return True

    def rename(self, name: str, to: str) -> None:
        """Give a file another name."""
        os.rename(self.folder / name, self.folder / to)

    def delete(self, name: str) -> None:
        """Remove a file, and the folders that were made for it where nothing else is in them."""
        (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            while self._made:
                self._made[-1].rmdir()
                self._made.pop()

    def make(self) -> None:
        """Make the folder, and what lacks above it, for their owner alone."""
        missing = [each for each in (self.folder, *self.folder.parents) if not each.exists()]
        for each in reversed(missing):
            with suppress(FileExistsError):  # another process made it meanwhile
                each.mkdir(0o700)
                self._made.append(each)


def _line_end(handle: int) -> bytes:
    """A line end if a crash left the last line without one, so that it does not swallow the next."""
    if os.fstat(handle).st_size == 0:
        return b""
    os.lseek(handle, -1, os.SEEK_END)
    return b"" if os.read(handle, 1) == b"\n" else b"\n"


class ObjectStorage:
    """A prefix in an object store. Adding a line writes the whole object again: one writer at a time, see lock."""

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        self._url = url.rstrip("/")
        self._fs, self._prefix = url_to_fs(self._url, use_listings_cache=False)

    def __str__(self) -> str:
        return self._url

    def read(self, name: str, largest: int = LARGEST) -> bytes | None:
        """The whole object."""
        self._fs.invalidate_cache()
        try:
            with as_os_error(), self._fs.open(self._path(name), "rb") as file:
                return _bounded(bytes(file.read(largest + 1)), largest)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, content: bytes) -> None:
        """One whole put."""
        self._put(name, content)

    def write_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """One whole put: a part of an object must never be taken for it."""
        self._put(name, b"".join(lines))

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of the object."""
        self._fs.invalidate_cache()
        try:
            with as_os_error(), self._fs.open(self._path(name), "rb") as file:
                yield from file
        except (FileNotFoundError, NotADirectoryError):
            return

    def append(self, name: str, line: bytes) -> None:
        """Put the object anew with the line at its end."""
        before = self.read(name) or b""
        self._put(name, before + (b"" if before.endswith(b"\n") or not before else b"\n") + line)

    def create(self, name: str, content: bytes) -> bool:
        """Put the object only if there is none."""
        try:
            self._put(name, content, mode="create")
        except FileExistsError:
            return False
        return True

    def rename(self, name: str, to: str) -> None:
        """Copy, then delete: object stores cannot rename."""
        with as_os_error():
            self._fs.mv(self._path(name), self._path(to))

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""
        with suppress(FileNotFoundError), as_os_error():
            self._fs.rm_file(self._path(name))

    def _put(self, name: str, content: bytes, **options: Any) -> None:
        with as_os_error():
            try:
                self._fs.pipe_file(self._path(name), content, **options)
            except FileNotFoundError:  # a file server needs its folders, a store does not
                self._fs.makedirs(self._prefix, exist_ok=True)
                self._fs.pipe_file(self._path(name), content, **options)
            self._fs.invalidate_cache()

    def _path(self, name: str) -> str:
        return f"{self._prefix}/{name}"


@contextmanager
def as_os_error() -> Iterator[None]:
    """Turns each store's own errors into OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(errno.EIO, shortened(f"{type(error).__name__}: {error}")) from error
