#!/usr/bin/env python3
"""Runs each libFuzzer target of a build for a while: scripts/fuzz.py BUILD SECONDS [--seed N] [NAME...]

New inputs go to BUILD/corpus/NAME, what crashes to BUILD/crashes/; fuzz/seeds/NAME is only read. With a seed a run
starts from fuzz/seeds alone, and is the same each time as far as it gets. The answer is 1 if a target crashed,
hung or could not be run.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
INPUT_BYTES_MAX = 1 << 13
INPUT_SECONDS_MAX = 10
MEMORY_MB_MAX = 2048


def run(build, name, seconds, seed):
    corpus = build / "corpus" / name
    if seed:
        corpus = build / "corpus" / ("%s-%d" % (name, seed))
        shutil.rmtree(corpus, ignore_errors=True)
    crashes = build / "crashes"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    print("== fuzz_%s for %d s" % (name, seconds), flush=True)
    program = build / "fuzz" / ("fuzz_" + name)
    if not program.exists():
        print("%s was not built; is it in fuzz/meson.build? (make sources)" % program)
        return 1
    return subprocess.run(
        [str(program), str(corpus), str(SOURCE / "fuzz" / "seeds" / name),
         "-max_total_time=%d" % seconds, "-timeout=%d" % INPUT_SECONDS_MAX,
         "-max_len=%d" % INPUT_BYTES_MAX, "-rss_limit_mb=%d" % MEMORY_MB_MAX,
         "-artifact_prefix=%s/%s-" % (crashes, name), "-print_final_stats=1", "-verbosity=0",
         "-print_funcs=0", "-seed=%d" % seed],
        stdin=subprocess.DEVNULL).returncode


def main(build, seconds, seed, names):
    build = build.resolve()
    names = names or [path.stem for path in sorted((SOURCE / "fuzz").glob("*.c"))
                      if path.stem != "replay"]
    if not names:
        print("there are no fuzz targets", file=sys.stderr)
        return 1
    failed = [name for name in names if run(build, name, seconds, seed) != 0]
    for name in failed:
        print("fuzz_%s failed; its input is in %s" % (name, build / "crashes"))
    print("fuzz: %d passed, %d failed, 0 skipped" % (len(names) - len(failed), len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("seconds", type=int)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(main(options.build, options.seconds, options.seed, options.names))
