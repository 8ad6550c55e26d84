#!/usr/bin/python3
"""The live tests: the examples on real servers. Prints a last line `live: N passed, ...`."""

import live_test

if __name__ == "__main__":
    live_test.main()
