"""What lies in a folder, on this machine or behind any fsspec URL; fsspec lists local folders as well."""

from __future__ import annotations

from typing import Any

from vmbackup.runs.storage import as_os_error


def entries(place: str) -> dict[str, bool]:
    """The names in a place, and whether each is a folder; none where there is no such place. Raises OSError."""
    with as_os_error():
        fs, path = _opened(place)
        found = fs.ls(path, detail=True) if fs.isdir(path) else []
    return {each["name"].rstrip("/").rpartition("/")[2]: each["type"] == "directory" for each in found}


def files_by_folder(place: str) -> dict[str, set[str]]:
    """The names of the files in each folder of a place, by the folder's name; none where there is no such place. Raises
    OSError."""
    try:
        with as_os_error():
            fs, path = _opened(place)
            found = fs.find(path, maxdepth=2)
    except FileNotFoundError:
        return {}
    files: dict[str, set[str]] = {}
    for each in found:
        *_, folder, file = str(each).rsplit("/", 2)
        files.setdefault(folder, set()).add(file)
    return files


def _opened(place: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    fs, path = url_to_fs(place.rstrip("/"), use_listings_cache=False)
    return fs, path
