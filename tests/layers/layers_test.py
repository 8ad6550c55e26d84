#!/usr/bin/env python3
"""The rules of the source tree that a compiler does not keep: who includes whom (the table in
ARCHITECTURE.md), how long a file or function may be, that every file is in a list of the build."""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

LINES_MAX = {".c": 800, ".h": 200}
FUNCTION_LINES_MAX = 70

# Functions that may be longer: one switch whose cases call helpers. "src/sql/print.c:print_expr"
DISPATCHERS = set()

# What `check` may need: libc and POSIX. A library's header belongs to the one folder named here.
SYSTEM_HEADERS = set("""
    assert.h ctype.h dirent.h dlfcn.h errno.h fcntl.h float.h iconv.h inttypes.h limits.h locale.h malloc.h math.h pthread.h
    poll.h sched.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
    stdnoreturn.h string.h strings.h time.h unistd.h sys/mman.h sys/resource.h sys/select.h sys/ioctl.h sys/stat.h sys/time.h
    sys/types.h sys/wait.h
""".split())
LIBRARY_FOLDERS = {"libpq-fe.h": "live", "mysql.h": "live", "mariadb_rpl.h": "live", "errmsg.h": "live", "mysqld_error.h": "live", "sqlite3.h": "live",
                   "zlib.h": "unpack", "zstd.h": "unpack", "openssl/ssl.h": "proxy", "openssl/err.h": "proxy", "netdb.h": "proxy", "sys/un.h": "proxy", "sys/socket.h": "proxy",
                   "netinet/in.h": "proxy", "netinet/tcp.h": "proxy", "sys/epoll.h": "proxy"}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)
FUNCTION_START = re.compile(r"^[A-Za-z_].*?\b(\w+)\(")


VENDOR = re.compile(r"\bENGINE_(?:MYSQL|MARIADB)\b|\bconfig(?:\.|->)(?:engine|version)\b")


def vendors_named(text):
    """Where a source file looks at the vendor or version of the server itself."""
    return VENDOR.findall(text)


def read_table(markdown):
    """{folder: folders it may include} of the table `| folder | may include | ...`, in its order."""
    table = {}
    in_table = False
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|"):
            in_table = False
        elif cells[:2] == ["folder", "may include"]:
            in_table = True
        elif in_table and not set(cells[0]) <= set("-: "):
            table[cells[0].strip("`")] = set(re.findall(r"\w+", cells[1]))
    return table


def table_problems(table, folders):
    """A folder may include those above it only, so there is no cycle; all folders are there."""
    problems = []
    above = set()
    for folder, allowed in table.items():
        for other in sorted(allowed - above):
            problems.append("ARCHITECTURE.md: %s may include %s, which is not above it"
                            % (folder, other))
        above.add(folder)
    problems += ["src/%s is not in the table" % one for one in sorted(folders - set(table))]
    problems += ["the table has %s, which is not in src" % one
                 for one in sorted(set(table) - folders)]
    return problems


def include_problems(path, text, table, files):
    """`path` relative to src; `files`: all those below src, relative too."""
    folder = path.split("/")[0]
    problems = []
    for own, system in INCLUDE.findall(text):
        if system:
            if system not in SYSTEM_HEADERS and LIBRARY_FOLDERS.get(system) != folder:
                problems.append("src/%s includes <%s>" % (path, system))
        elif own not in files:
            problems.append('src/%s includes "%s", which is not below src' % (path, own))
        elif own.split("/")[0] not in table.get(folder, set()) | {folder}:
            problems.append('src/%s may not include "%s"' % (path, own))
    return problems


def functions_of(text):
    """(name, lines) of each function: from its first line at the margin to its brace at the margin."""
    start, name = None, None
    for number, line in enumerate(text.splitlines(), 1):
        match = FUNCTION_START.match(line)
        if match and not line.startswith(("typedef", "#")) and not line.rstrip().endswith(";"):
            start, name = number, match.group(1)
        elif line.startswith("}") and start is not None:
            if line.rstrip() == "}":
                yield name, number - start + 1
            start = None


def size_problems(path, text):
    problems = []
    suffix = pathlib.PurePath(path).suffix
    lines = text.count("\n")
    if lines > LINES_MAX.get(suffix, lines):
        problems.append("src/%s has %d lines" % (path, lines))
    if suffix == ".c":
        problems += ["src/%s: %s() has %d lines" % (path, name, count)
                     for name, count in functions_of(text)
                     if count > FUNCTION_LINES_MAX and "src/%s:%s" % (path, name) not in DISPATCHERS]
    if suffix == ".h" and not text.startswith("/*"):
        problems.append("src/%s does not open with a comment" % path)
    return problems


class TheTree(unittest.TestCase):
    def setUp(self):
        src = harness.SOURCE / "src"
        self.files = {str(path.relative_to(src)): path for path in src.rglob("*")
                      if path.suffix in (".c", ".h", ".def", ".inc")}
        self.table = read_table((harness.SOURCE / "ARCHITECTURE.md").read_text())
        self.folders = {path.name for path in src.iterdir() if path.is_dir()}

    def assert_none(self, problems):
        self.assertFalse(problems, "\n" + "\n".join(problems))

    def test_table(self):
        self.assertGreater(len(self.table), 1)
        self.assert_none(table_problems(self.table, self.folders))

    def test_includes(self):
        self.assertGreater(len(self.files), 20)
        self.assert_none([problem for path, file in sorted(self.files.items())
                          for problem in include_problems(path, file.read_text(), self.table,
                                                          self.files)])

    def test_sizes(self):
        self.assert_none([problem for path, file in sorted(self.files.items())
                          for problem in size_problems(path, file.read_text())])

    def test_innodb_asks_which_vendor_it_is(self):
        """By db_is_mariadb and db_config_has alone: else a run that stands for both (struct db_twin) would not know."""
        for path in sorted((harness.SOURCE / "src/engine").glob("innodb*.c")):
            self.assertEqual(vendors_named(path.read_text()), [], path.name)

    def test_vendors_named(self):
        self.assertEqual(vendors_named("if (db->config.engine == x)\n  ENGINE_MARIADB"),
                         ["config.engine", "ENGINE_MARIADB"])

    def test_build_lists(self):
        answer = subprocess.run([sys.executable, "scripts/update-sources.py", "--check"],
                                cwd=harness.SOURCE, stdout=subprocess.PIPE, encoding="utf-8")
        self.assertEqual((answer.returncode, answer.stdout), (0, ""), "run `make sources`")

    def test_every_part_is_registered(self):
        text = (harness.SOURCE / "tests" / "meson.build").read_text()
        parts = set(re.findall(r"'(\w+)'", re.search(r"^parts = \[(.*?)\]", text, re.M | re.S)[1]))
        there = {path.parent.name for path in (harness.SOURCE / "tests").glob("*/*_test.*")}
        self.assertEqual(parts, there)

    def test_every_fuzz_target_has_a_seed(self):
        fuzz = harness.SOURCE / "fuzz"
        for target in fuzz.glob("*.c"):
            if target.stem != "replay":
                self.assertTrue(any((fuzz / "seeds" / target.stem).glob("*")), target.name)


class TheChecks(unittest.TestCase):
    """That each check can fail."""

    table = {"base": set(), "sql": {"base"}, "cli": {"base", "sql"}}
    files = {"base/str.h", "sql/ast.h", "sql/parse.c"}

    def test_read_table(self):
        text = ("words\n\n| folder | may include | what |\n|---|---|---|\n| base | - | x |\n"
                "| `sql` | base | y |\n\n| other | table |\n|---|---|\n| a | b |\n")
        self.assertEqual(read_table(text), {"base": set(), "sql": {"base"}})

    def test_table_cycle(self):
        self.assertEqual(len(table_problems({"a": {"b"}, "b": {"a"}}, {"a", "b"})), 1)

    def test_table_folders(self):
        self.assertEqual(len(table_problems({"a": set(), "gone": set()}, {"a", "new"})), 2)
        self.assertEqual(table_problems({"a": set()}, {"a"}), [])

    def includes(self, path, text):
        return include_problems(path, text, self.table, self.files)

    def test_upward_include(self):
        self.assertEqual(len(self.includes("base/str.c", '#include "sql/ast.h"\n')), 1)
        self.assertEqual(self.includes("sql/parse.c", '#include "base/str.h"\n'), [])

    def test_unknown_include(self):
        self.assertEqual(len(self.includes("sql/parse.c", '#include "ast.h"\n')), 1)

    def test_library_include(self):
        self.assertEqual(len(self.includes("sql/parse.c", "#include <libpq-fe.h>\n")), 1)
        self.assertEqual(self.includes("sql/parse.c", "#include <stdio.h>\n"), [])

    def test_long_file(self):
        self.assertEqual(size_problems("a/b.c", "\n" * 800), [])
        self.assertEqual(len(size_problems("a/b.c", "\n" * 801)), 1)
        self.assertEqual(len(size_problems("a/b.h", "/* */" + "\n" * 201)), 1)
        self.assertEqual(len(size_problems("a/b.h", "#ifndef X\n")), 1)

    def test_long_function(self):
        body = "    x();\n"
        text = "static int f(int a,\n             int b) {\n%s}\n\nvoid g(void) {\n%s}\n"
        self.assertEqual(list(functions_of(text % (body * 3, body))), [("f", 6), ("g", 3)])
        self.assertEqual(len(size_problems("a/b.c", text % (body * 68, body))), 1)
        table = "static const struct x y[] = {\n" + "    {F(1)},\n" * 90 + "};\n"
        self.assertEqual(size_problems("a/b.c", table), [])

    def test_stale_list(self):
        sys.path.insert(0, str(harness.SOURCE / "scripts"))
        relisted = __import__("update-sources").relisted
        old = "a_sources = files(\n  'a.c',\n)\nrest\n"
        self.assertEqual(relisted(old, "a_sources", "files(", ")", ["b.c", "a.c"]),
                         "a_sources = files(\n  'a.c',\n  'b.c',\n)\nrest\n")
        self.assertEqual(relisted(old, "a_sources", "files(", ")", ["a.c"]), old)


if __name__ == "__main__":
    harness.main("layers")
