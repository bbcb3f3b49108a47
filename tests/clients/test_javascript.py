"""The clients for JavaScript, where Node and their packages are here (js/)."""

import os
import shutil
import subprocess
import unittest

from serving import server

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "js")
# Where tests/clients/run put the packages; Node looks for them above the test.
PLACE = os.environ.get("HADAL_CLIENTS_JS", FOLDER)


@unittest.skipUnless(shutil.which("node") and os.path.isdir(os.path.join(PLACE, "node_modules")),
                     "no Node, or its packages are not installed")
class JavaScript(unittest.TestCase):
    def test_clients(self):
        if PLACE != FOLDER:
            shutil.copy(os.path.join(FOLDER, "clients.test.js"), PLACE)
        done = subprocess.run(["node", "--test", os.path.join(PLACE, "clients.test.js")],
                              env=dict(os.environ, HADAL_URL=server().url), cwd=PLACE,
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
