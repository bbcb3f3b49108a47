"""Runs every test_*.py beside it against one server; prints "clients N passed, M failed"."""

import os
import sys
import unittest

import serving


def main():
    suite = unittest.defaultTestLoader.discover(os.path.dirname(os.path.abspath(__file__)))
    try:
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    finally:
        serving.stop()
    bad = len(result.failures) + len(result.errors)
    print(f"clients {result.testsRun - bad - len(result.skipped)} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
