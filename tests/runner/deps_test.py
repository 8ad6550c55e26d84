#!/usr/bin/env python3
"""scripts/install-deps.sh, with stand-ins for dpkg-query, apt-get, id and sudo: it asks apt-get for what
is missing and nothing else, says so, starts no service, and leaves a machine alone that has it all."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

DPKG_QUERY = """#!/bin/sh
for package; do :; done
case " $INSTALLED " in *" all "*|*" $package "*) printf installed; exit 0 ;; esac
case " $REMOVED " in *" $package "*) printf config-files; exit 0 ;; esac
exit 1
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$LOG"
echo "frontend $DEBIAN_FRONTEND" >>"$LOG"
if [ -x "$POLICY_RC_D" ]; then "$POLICY_RC_D"; echo "policy $?" >>"$LOG"; fi
[ "$APT_FAILS" != 1 ]
"""
SUDO = '#!/bin/sh\necho sudo >>"$LOG"\nexec "$@"\n'
NEEDED = ("sh", "env", "id", "rm", "tee", "chmod", "printf")


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = self.folder / "log"
        self.policy = self.folder / "policy-rc.d"
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for name in NEEDED:
            for place in ("/usr/bin/", "/bin/"):
                if os.path.exists(place + name) and not (self.bin / name).exists():
                    (self.bin / name).symlink_to(place + name)
        self.stub("dpkg-query", DPKG_QUERY)
        self.stub("apt-get", APT_GET)
        self.stub("id", "#!/bin/sh\necho 0\n")

    def stub(self, name, text):
        path = self.bin / name
        if path.is_symlink():
            path.unlink()
        path.write_text(text)
        path.chmod(0o755)

    def run_it(self, *groups, **env):
        answer = subprocess.run(
            ["/bin/sh", str(harness.SOURCE / "scripts" / "install-deps.sh"), *groups],
            env={"PATH": str(self.bin), "LOG": str(self.log), "POLICY_RC_D": str(self.policy), **env},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", timeout=60)
        log = self.log.read_text().splitlines() if self.log.exists() else []
        return answer.returncode, answer.stdout, answer.stderr, log

    def test_all_there(self):
        self.assertEqual(self.run_it("build", "test", "fuzz", "format", INSTALLED="all"),
                         (0, "", "", []))

    def test_some_missing(self):
        code, out, _, log = self.run_it("build", INSTALLED="gcc libc6-dev python3 pkg-config",
                                        REMOVED="meson")
        self.assertEqual(code, 0)
        self.assertIn("Installing Debian packages: meson ninja-build\n", out)
        self.assertEqual([line for line in log if line.startswith("apt-get")],
                         ["apt-get -q -y update",
                          "apt-get -q -y install --no-install-recommends meson ninja-build"])
        self.assertEqual(set(log) - {line for line in log if line.startswith("apt-get")},
                         {"frontend noninteractive", "policy 101"})
        self.assertFalse(self.policy.exists(), "the stand-in policy is still there")

    def test_policy_of_the_machine_stays(self):
        self.policy.write_text("#!/bin/sh\nexit 7\n")
        self.policy.chmod(0o755)
        self.assertIn("policy 7", self.run_it("format")[3])
        self.assertEqual(self.policy.read_text(), "#!/bin/sh\nexit 7\n")

    def test_failure(self):
        code, _, _, log = self.run_it("format", APT_FAILS="1")
        self.assertNotEqual(code, 0)
        self.assertIn("policy 101", log)
        self.assertFalse(self.policy.exists(), "the stand-in policy is still there")

    def test_sudo(self):
        self.stub("id", "#!/bin/sh\necho 1000\n")
        self.stub("sudo", SUDO)
        code, _, _, log = self.run_it("format")
        self.assertEqual((code, log.count("sudo") >= 2), (0, True))

    def test_neither_root_nor_sudo(self):
        self.stub("id", "#!/bin/sh\necho 1000\n")
        code, _, err, log = self.run_it("format")
        self.assertEqual((code, log), (1, []))
        self.assertIn("neither root nor sudo; install these and run again: clang-format", err)

    def test_no_debian(self):
        (self.bin / "apt-get").unlink()
        code, _, err, _ = self.run_it("format")
        self.assertEqual(code, 1)
        self.assertIn("DEPS=skip: clang-format", err)

    def test_wrong_usage(self):
        code, _, err, _ = self.run_it("everything")
        self.assertEqual(code, 2)
        self.assertIn("unknown group 'everything'", err)
        self.assertEqual(self.run_it()[0], 2)


if __name__ == "__main__":
    harness.main("deps")
