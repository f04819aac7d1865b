# SPDX-License-Identifier: MIT
"""Compiles and runs the README's C examples against what is installed."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

STAGE = pathlib.Path(os.environ["STAGE"])
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def flags():
    paths = sorted(str(path.parent) for path in STAGE.rglob("tidepool.pc"))
    environment = dict(os.environ, PKG_CONFIG_PATH=":".join(paths))
    command = ["pkg-config", "--define-prefix", "--cflags", "--libs", "--static", "tidepool"]
    return subprocess.run(command, env=environment, check=True, text=True,
                          capture_output=True).stdout.split(), paths


class Test(unittest.TestCase):
    def test_readme_examples_compile_and_run(self):
        examples = re.findall(r"```c\n(.*?)```", README.read_text(), re.S)
        self.assertTrue(examples, "the README has no example")
        options, paths = flags()
        library = str(pathlib.Path(paths[0]).parent)
        for example in examples:
            with self.subTest(example=example[:60]), tempfile.TemporaryDirectory() as folder:
                source = pathlib.Path(folder, "example.c")
                source.write_text(example)
                subprocess.run([os.environ["CC"], "-Wall", "-Wextra", "-Wno-unused-parameter",
                                "-Werror", str(source), "-o", folder + "/example", *options],
                               check=True)
                subprocess.run([folder + "/example"], check=True,
                               env=dict(os.environ, LD_LIBRARY_PATH=library))


if __name__ == "__main__":
    unittest.main()
