#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""install_test.py: what is installed, and users' programs built against it."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

STAGE = pathlib.Path(os.environ["STAGE"])
CONSUMER = pathlib.Path(__file__).resolve().parent / "consumer"
LANGUAGES = {"c": [os.environ["CC"], "-std=c11"],
             "c++": [os.environ["CXX"], "-std=c++17"]}


def output(*command, **environment):
    done = subprocess.run(command, env={**os.environ, **environment}, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError(f"{command} failed:\n{done.stdout}")
    return done.stdout


def pkg_config(*options):
    return output("pkg-config", *options, "tidepool",
                  PKG_CONFIG_PATH=f"{STAGE}/lib/pkgconfig").split()


def symbols(library, *options):
    """The defined names, without the versions that a shared library gives them."""
    lines = output("nm", "--defined-only", *options, STAGE / "lib" / library).split("\n")
    return [line.split()[2].split("@")[0] for line in lines if len(line.split()) == 3]


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def compile(self, language, libraries):
        program = self.folder / "consumer"
        output(*LANGUAGES[language], "-Wall", "-Wextra", "-Werror", "-pedantic-errors",
               *pkg_config("--cflags"), "-x", language, CONSUMER / "main.c", "-x", "none",
               "-o", program, *libraries)
        return program

    def check_runs(self, program, shared):
        self.assertEqual(output(program, LD_LIBRARY_PATH=f"{STAGE}/lib"), "1 destroyed\n")
        needed = output("readelf", "--dynamic", program)
        self.assertEqual("libtidepool.so.0" in needed, shared)

    def test_installs_what_the_readme_promises(self):
        for path in ("bin/tide", "lib/libtidepool.a", "lib/libtidepool.so",
                     "include/tide_pool.h", "include/tide_epoch.h",
                     "include/tide_buffer.h", "include/tide_stackalloc.h",
                     "lib/pkgconfig/tidepool.pc", "lib/cmake/Tidepool/TidepoolConfig.cmake",
                     "share/man/man1/tide.1", "share/bash-completion/completions/tide"):
            self.assertTrue((STAGE / path).is_file(), path)

    def test_installs_public_headers_only(self):
        for header in (STAGE / "include").rglob("*"):
            self.assertRegex(header.name, r"^tide_\w+\.h$")

    def test_installed_command_runs(self):
        version = pkg_config("--modversion")[0]
        self.assertEqual(output(STAGE / "bin" / "tide", "--version"), f"tide {version}\n")

    def test_pkg_config_builds_shared_users_in_c(self):
        self.check_runs(self.compile("c", pkg_config("--libs")), shared=True)

    def test_pkg_config_builds_shared_users_in_cxx(self):
        self.check_runs(self.compile("c++", pkg_config("--libs")), shared=True)

    def static_libraries(self):
        return ["-l:libtidepool.a" if word == "-ltidepool" else word
                for word in pkg_config("--static", "--libs")]

    def test_pkg_config_builds_static_users_in_c(self):
        self.check_runs(self.compile("c", self.static_libraries()), shared=False)

    def test_pkg_config_builds_static_users_in_cxx(self):
        self.check_runs(self.compile("c++", self.static_libraries()), shared=False)

    def check_package(self, shared):
        output("cmake", "-S", CONSUMER, "-B", self.folder, "-G", "Ninja",
               f"-DCMAKE_PREFIX_PATH={STAGE}", f"-DBUILD_SHARED_LIBS={shared}")
        output("cmake", "--build", self.folder)
        self.check_runs(self.folder / "consumer_c", shared)
        self.check_runs(self.folder / "consumer_cxx", shared)

    def test_cmake_package_builds_static_users(self):
        self.check_package(shared=False)

    def test_cmake_package_builds_shared_users(self):
        self.check_package(shared=True)

    def test_shared_library_exports_public_names_only(self):
        names = symbols("libtidepool.so", "--dynamic")
        self.assertIn("tide_pool_get", names)
        self.assertEqual([name for name in names if not re.match(r"tide_[a-z]", name)], [])

    def test_archive_defines_names_of_the_project_only(self):
        names = symbols("libtidepool.a", "--extern-only")
        self.assertIn("tide_pool_get", names)
        self.assertEqual([name for name in names if not name.startswith("tide_")], [])

    def test_shared_library_cannot_be_unloaded(self):
        flags = output("readelf", "--dynamic", STAGE / "lib" / "libtidepool.so")
        self.assertRegex(flags, r"FLAGS_1.*NODELETE")


if __name__ == "__main__":
    unittest.main()
