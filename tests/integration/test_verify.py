# SPDX-License-Identifier: Apache-2.0
"""Random streams of orders, folded as they come, against a full count and against each order once, final, in order."""

import pytest

STREAM = ["--shuffle", "--dup", "0.05", "--refund", "0.1", "--edit", "0.1", "--cancel", "0.03"]


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_random_stream_is_counted_as_if_each_order_had_come_once(ctl, database, seed):
    # A low cap, so that truncated baskets occur, too.
    done = ctl("verify", "--orders", "2500", "--seed", str(seed), *STREAM, "--set", "learn.basket_cap=8", "--quiet",
               database=database, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all equal" in done.stdout and done.stdout.count("  equal") == 17
    assert database.sql("SELECT name FROM affinity.store") == []


def test_a_stream_in_order_without_changes_is_counted_exactly(ctl, database):
    done = ctl("verify", "--orders", "500", "--quiet", database=database, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rows_after_a_stream_are_those_of_a_full_build_once_they_were_renewed(ctl, database):
    done = ctl("verify", "--orders", "600", "--seed", "6", *STREAM, "--sweep", "--quiet", database=database, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "neighbour" in done.stdout


def test_several_writers_with_late_commits_lose_and_double_nothing(ctl, database):
    done = ctl("verify", "--orders", "800", "--writers", "6", *STREAM, "--quiet", database=database, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_shows_how_to_drive_a_stream(ctl):
    text = ctl("verify", "--help").stdout
    assert "--shuffle --dup 0.05 --refund 0.1 --edit 0.1" in text


@pytest.mark.parametrize("wrong", [["--dup", "2"], ["--orders", "-1"], ["--orders", "x"], ["--seed", "1.5"], ["more"]])
def test_wrong_options_are_refused_before_anything_is_done(ctl, database, wrong):
    refused = ctl("verify", *wrong, database=database, check=False)
    assert refused.returncode == 2 and "affinityctl verify" in refused.stderr
