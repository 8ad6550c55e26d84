"""The isolation tests of PostgreSQL, from Debian's source package: fetched once, kept in the cache folder that
tests/live/packages.py uses.

    folder = sources.isolation_tests()      the package's src/test/isolation: specs/, expected/

apt does the fetching, with lists and folders of its own: the machine's are only read, nothing is installed.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import packages

PACKAGE = "postgresql-15"
RELEASE = "bookworm"
ARCHIVE = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FETCH_SECONDS_MAX = 180

CONFIGURATION = """
Dir::Etc::SourceList "%(folder)s/sources.list";
Dir::Etc::SourceParts "-";
Dir::State "%(folder)s/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "%(folder)s/cache";
APT::Sandbox::User "";
Acquire::Retries "1";
Acquire::http::Timeout "20";
"""


class SourceError(Exception):
    """The sources are not to be had here."""


def run(command, folder):
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=FETCH_SECONDS_MAX,
                              env=dict(os.environ, APT_CONFIG=os.path.join(folder, "apt.conf")))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError("%s: %s" % (" ".join(command), error)) from None
    if done.returncode != 0:
        lines = done.stdout.decode(errors="replace").strip().splitlines() or ["failed"]
        raise SourceError("%s: %s" % (" ".join(command), lines[-1]))


def fetch(folder):
    """The original source's tarball, in `folder`."""
    if shutil.which("apt-get") is None:
        raise SourceError("no apt-get to fetch %s with" % PACKAGE)
    for part in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(folder, part))
    with open(os.path.join(folder, "apt.conf"), "w") as conf:
        conf.write(CONFIGURATION % {"folder": folder})
    with open(os.path.join(folder, "sources.list"), "w") as sources:
        sources.write("deb-src [signed-by=%s] %s %s main\n" % (KEYRING, ARCHIVE, RELEASE))
    run(["apt-get", "update"], folder)
    run(["apt-get", "source", "--download-only", PACKAGE], folder)
    found = [name for name in os.listdir(folder) if ".orig.tar." in name and not name.endswith(".asc")]
    if len(found) != 1:
        raise SourceError("%s: no tarball among %s" % (PACKAGE, sorted(os.listdir(folder))))
    return os.path.join(folder, found[0])


def unpack(tarball, folder):
    """The folder `isolation` out of the tarball."""
    with tarfile.open(tarball) as archive:
        wanted = [m for m in archive if "/src/test/isolation/" in m.name and m.isfile()]
        for member in wanted:
            name = member.name.split("/src/test/isolation/", 1)[1]
            path = pathlib.Path(folder, "isolation", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.extractfile(member).read())
    return os.path.join(folder, "isolation")


def isolation_tests():
    cache = packages.cache_folder()
    path = pathlib.Path(cache, PACKAGE + "-isolation")
    if path.is_dir():
        return path
    try:
        os.makedirs(cache, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as folder:
            try:
                os.rename(unpack(fetch(folder), folder), path)
            except OSError:  # another process was first
                if not path.is_dir():
                    raise
    except (OSError, tarfile.TarError) as error:
        raise SourceError("%s: %s" % (PACKAGE, error)) from error
    return path


if __name__ == "__main__":
    print(isolation_tests())
