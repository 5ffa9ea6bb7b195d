"""What MWAA reads: dags/ with the SQL and the scripts that it links to, in the environment's bucket."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy import DAGS, git, objects
from deploy.plan import Change

PREFIX = "dags/"


def files() -> dict[str, Path]:
    """The files of dags/, links followed, by their names there: exactly what MWAA gets."""
    found = {path.relative_to(DAGS).as_posix(): path for path in _walk(DAGS)}
    # A DAG file after all that it imports, because MWAA may read while we write.
    return dict(sorted(found.items(), key=lambda item: ("/" not in item[0], item[0])))


def changes(bucket: str) -> list[Change]:
    """What makes the bucket's dags/ as it is here: uploads of what is new or other, deletes of what is gone."""
    here = files()
    pages = objects.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
    listed = [item["Key"].removeprefix(PREFIX) for page in pages for item in page.get("Contents", [])]
    with ThreadPoolExecutor(8) as requests:
        heads = requests.map(lambda name: objects.head(bucket, PREFIX + name), listed)
        there = dict(zip(listed, heads, strict=True))
    uploads = []
    for name, path in here.items():
        stored = there.get(name, {})
        if stored.get("ChecksumSHA256") != objects.sha256(path.read_bytes()):
            uploads.append(objects.upload(bucket, PREFIX + name, path.read_bytes, stored))
    return uploads + [objects.delete(bucket, PREFIX + name) for name in sorted(there.keys() - here)]


def _walk(folder: Path) -> Iterator[Path]:
    for path in git.files(folder):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_symlink() and path.is_dir():
            yield from (path / file.relative_to(path.resolve()) for file in _walk(path.resolve()))
        elif not hidden or path.name == ".airflowignore":
            yield path
