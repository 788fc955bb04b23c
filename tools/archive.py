"""Packs the files in a folder into a .tar.gz file: the same files give the same bytes.

No tar that all systems have can do that.

usage: python archive.py FILE FOLDER, with the time of all files in SOURCE_DATE_EPOCH
"""

import gzip
import os
import pathlib
import sys
import tarfile

target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
with (
    open(target, "wb") as out,
    gzip.GzipFile("", "wb", 8, out, mtime=0) as packed,
    tarfile.open(fileobj=packed, mode="w") as tar,
):
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        info = tarfile.TarInfo(file.relative_to(folder).as_posix())
        info.size, info.mtime = file.stat().st_size, int(os.environ.get("SOURCE_DATE_EPOCH", 0))
        # Windows keeps no such mode, and an archive that is made there is to be the same.
        info.mode = 0o755 if info.name.startswith("pulumi-resource-") else 0o644
        with file.open("rb") as data:
            tar.addfile(info, data)
