"""The runner of pages: it must see what is not as a page says."""

import unittest

from guide_page import WrongPage, commands_of, run_page


class GuidePage(unittest.TestCase):
    def test_passes_what_is_as_shown(self):
        page = "Text.\n\n    $ mkdir a && cd a\n    $ pwd\n    /.../a\n    $ true\n\nText.\n"
        self.assertIsNone(run_page(page))
        self.assertIsNone(run_page("    $ echo one\n    one\n\n    $ echo two\n    two\n"))
        self.assertEqual([c.line for c in commands_of(page)], [3, 4, 6])

    def test_runs_in_an_empty_home(self):
        self.assertIsNone(run_page('    $ ls -A; [ "$HOME" = "$PWD" ] && echo home\n    home\n'))

    def test_sees_another_output(self):
        wrong = run_page("    $ echo one; echo two\n    one\n")
        self.assertIn("another output", wrong)
        self.assertIn("another output", run_page("    $ echo one\n    one\n    two\n"))
        self.assertIn("another output", run_page("    $ echo onetwo\n    ...three\n"))

    def test_sees_a_failure_and_goes_no_further(self):
        wrong = run_page("    $ echo lost >&2; false\n    $ echo next\n")
        self.assertIn("line 1", wrong)
        self.assertIn("exit status 1", wrong)
        self.assertIn("lost", wrong)
        self.assertIn("exit status 1", run_page("    $ false | true\n"))
        self.assertIn("did not end", run_page("    $ exit 0\n"))

    def test_keeps_variables_and_ends_what_is_in_the_background(self):
        self.assertIsNone(run_page("    $ sleep 1000 &\n    $ a=$!\n    $ kill -0 $a\n"))

    def test_takes_here_documents_with_their_blank_lines(self):
        page = "    $ cat > f <<'EOF'\n    a {\n\n      $ b\n    }\n    EOF\n"
        page += "    $ wc -l < f\n    4\n"
        self.assertIsNone(run_page(page))

    def test_tries_lines_for_root_without_effect(self):
        self.assertIsNone(run_page("    # apt-get install bash\n"))
        self.assertIn("exit status", run_page("    # apt-get install no-such-package-here\n"))

    def test_refuses_pages_with_lines_that_would_not_run(self):
        for page in ("```\n$ true\n```\n", "    true\n", "Text.\n", "    $ cat <<'EOF'\n    a\n"):
            with self.assertRaises(WrongPage, msg=page):
                run_page(page)


if __name__ == "__main__":
    unittest.main()
