#!/usr/bin/env python3
"""The HTML report of watch, as a browser sees it: drawn, sortable, and without anything from elsewhere."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import BINARY, main
from watch_test import LOST, BEFORE, log

# Two kinds of loss: the counter's once, the order's twice, and a name that must not become markup.
ORDERS = [(110 + i % 2, sql) for round_ in (1, 2) for i, sql in enumerate((
    "UPDATE orders SET status = 'new', name = '<b>' WHERE id = %d" % round_,
    "SELECT id, name, status FROM orders WHERE id = %d" % round_,
    "UPDATE orders SET status = 'paid' WHERE id = %d" % round_,
    "UPDATE orders SET status = 'new', name = '</script>' WHERE id = %d" % round_))]

PROBE = """<script>
var seen = [], table = document.getElementById('losses');
function order() { return Array.from(table.tBodies[0].rows).map(function (r) { return r.cells[0].textContent; }); }
seen.push(order());
['seen', 'seen', 'table'].forEach(function (name) {
  Array.from(table.querySelectorAll('th')).filter(function (h) { return h.textContent.trim() === name; })[0].click();
  seen.push(order());
});
seen.push(document.querySelectorAll('svg').length, document.querySelectorAll('svg circle').length, document.querySelectorAll('b').length);
seen.push(performance.getEntriesByType('resource').length);
document.title = JSON.stringify(seen);
</script></body>"""


class Html(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        path = os.path.join(self.folder.name, "a.log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(log(BEFORE + LOST + ORDERS))
        done = subprocess.run([BINARY, "watch", path, "--format", "html", "--show-values"], capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        self.html = done.stdout.decode()

    def browse(self, html, *options):
        page = os.path.join(self.folder.name, "page.html")
        with open(page, "w", encoding="utf-8") as file:
            file.write(html)
        return subprocess.run(
            [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--user-data-dir=" + os.path.join(self.folder.name, "profile"), "--virtual-time-budget=2000",
             "--window-size=1000,1400", *options, "file://" + page],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, cwd=self.folder.name).stdout.decode()

    def test_nothing_comes_from_elsewhere(self):
        self.assertFalse(re.findall(r"(?:src|href)=\"(?!#)", self.html))
        self.assertNotIn("http:", self.html.replace("http-equiv", ""))
        self.assertIn("default-src 'none'", self.html)

    @unittest.skipUnless(shutil.which("chromium"), "there is no chromium")
    def test_it_is_drawn_and_sorts(self):
        dom = self.browse(self.html.replace("</body>", PROBE), "--dump-dom")
        title = re.search(r"<title>(.*?)</title>", dom).group(1).replace("&quot;", '"')
        first, up, down, by_table, drawings, dots, bold, fetched = json.loads(title)
        self.assertEqual(sorted(first), ["counter", "orders"])
        self.assertEqual((up, down, by_table), (["counter", "orders"], ["orders", "counter"], ["counter", "orders"]))
        self.assertEqual((drawings, bold, fetched), (3, 0, 0))
        self.assertGreaterEqual(dots, 9)

    @unittest.skipUnless(shutil.which("chromium"), "there is no chromium")
    def test_it_is_seen(self):
        shot = os.path.join(self.folder.name, "shot.png")
        self.browse(self.html, "--screenshot=" + shot)
        self.assertGreater(os.path.getsize(shot), 20000) # a blank page of this size has some 5 kB


if __name__ == "__main__":
    main("html")
