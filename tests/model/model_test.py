#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""model_test.py: the models hold, seeded mistakes are found, steps are named like the code's."""
import os
import pathlib
import re
import shutil
import unittest

import check

SOURCE = pathlib.Path(os.environ["SOURCE"])
MODELS = sorted(check.FOLDER.glob("*.pml"))
DEFINITION = r"^(?:[\w ]+[ *])?%s\([^;{}]*\)\s*\{"


def functions_of(text):
    """The functions that the table on top of epoch.pml names: [(file, name)]."""
    table = re.search(r"compares both\.\n \*\n(.*?)\n \*\n", text, re.DOTALL)[1]
    words = table.replace("*", " ").split()
    pairs, file = [], None
    for word in words:
        if word.endswith(":"):
            file = word[:-1]
        else:
            pairs.append((file, word))
    return pairs


def own_of(text):
    """What the same comment lists as the model's own."""
    return re.search(r"The model's own:(.*?)\*/", text, re.DOTALL)[1].replace("*", " ").split()


def missing_functions(pairs, root):
    """Those that are not defined where the table says."""
    missing = []
    for file, name in pairs:
        path = root / file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not re.search(DEFINITION % name, text, re.MULTILINE):
            missing.append(f"{file}: {name}")
    return missing


def steps_of(paths):
    """The inlines of the models, and the macros that take arguments and are named as in C."""
    steps = set()
    for path in paths:
        text = path.read_text(encoding="utf-8")
        steps |= set(re.findall(r"^inline (\w+)\(", text, re.MULTILINE))
        steps |= set(re.findall(r"^#define (\w+_\w+)\(", text, re.MULTILINE))
    return {step for step in steps if not step.isupper()}


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def need_spin(self):
        if not shutil.which("spin"):
            print("skipped: the package spin is not installed, which searches the models")
            self.skipTest("no spin")

    def holds(self, *names):
        self.need_spin()
        for name in names:
            result = check.search_all(*check.SEARCHES[name])
            check.report(name, result)
            self.assertEqual(result.found, "", name)

    def ends(self, *names):
        self.need_spin()
        for name in names:
            result = check.search_endings(*check.ENDINGS[name])
            check.report(name, result)
            self.assertEqual(result.found, "", name)

    def test_an_object_has_one_owner_through_epochs(self):
        self.holds("epochs")

    def test_an_object_has_one_owner_through_epochs_and_drains(self):
        self.holds("drains")

    def test_an_object_has_one_owner_if_the_kernel_refuses_a_fence(self):
        self.holds("refused")

    def test_an_object_has_one_owner_under_limits_and_keep_min(self):
        self.holds("limits")

    def test_an_object_has_one_owner_if_an_epoch_meets_a_drain(self):
        self.holds("beside")

    def test_an_object_has_one_owner_on_a_stack_that_is_used_late(self):
        self.holds("late", "portable_late")

    def test_an_object_has_one_owner_if_a_batch_does_not_fit_a_stack(self):
        self.holds("unpack", "portable_unpack")

    def test_an_object_has_one_owner_in_the_portable_body(self):
        self.holds("portable")

    def test_lists_lose_no_batch(self):
        self.holds("lists")

    def test_every_run_comes_to_an_end(self):
        self.ends("ends", "ends_two", "portable_ends", "portable_ends_two")

    def test_each_seeded_mistake_is_found(self):
        self.need_spin()
        for mistake in check.MISTAKES:
            with self.subTest(mistake):
                result = check.search_mistake(mistake)
                check.report(mistake, result)
                self.assertRegex(result.found, "assertion violated|invalid end state|cycle")

    def test_each_mistake_of_the_models_is_searched_for(self):
        text = "".join(path.read_text(encoding="utf-8") for path in MODELS)
        self.assertEqual(set(re.findall(r"\bFAULT_(\w+)", text)), set(check.MISTAKES))

    def test_a_search_that_is_cut_short_is_no_result(self):
        self.need_spin()
        with self.assertRaises(check.Incomplete):
            check.search_all(*check.SEARCHES["lists"], memory_mb=150)
        with self.assertRaises(check.Incomplete):
            check.search("batch", "", ["-DSAFETY"], ["-m20"])

    def test_each_step_is_a_function_of_the_code(self):
        text = (check.FOLDER / "epoch.pml").read_text(encoding="utf-8")
        pairs = functions_of(text)
        self.assertGreater(len(pairs), 50)
        self.assertEqual(missing_functions(pairs, SOURCE), [])
        self.assertEqual({name for _, name in pairs} | set(own_of(text)), steps_of(MODELS))

    def test_a_renamed_function_is_missed(self):
        self.assertEqual(missing_functions([("pool/epoch.c", "publish_victims"),
                                            ("pool/epochs.c", "publish_victim"),
                                            ("pool/epoch.c", "publish_victim")], SOURCE),
                         ["pool/epoch.c: publish_victims", "pool/epochs.c: publish_victim"])


if __name__ == "__main__":
    unittest.main()
