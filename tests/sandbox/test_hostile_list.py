"""What every release must survive, item by item, and where it is tested.

A plain name is a trick of `tests/submissions/hostile.py`: `test_result` grades each of them and
asserts that the exercise earns nothing (honest ones: everything), that the other one earns its full
points, that no process, mount, descriptor or control group is left, that the secret is nowhere in
the result and that a message is there. `x:y` is the function `test_y` of the module `test_x`.
"""

import importlib
import re
from pathlib import Path

import pytest

from tests.submissions import honest  # noqa: F401 adds to HONEST
from tests.submissions.hostile import ATTACKS, BROKEN, HONEST

TIME = {
    "endless loop": "endless_loop_in_a_cell endless_loop_in_a_call",
    "loop that swallows KeyboardInterrupt": "loop_that_swallows_interrupts",
    "500 cells of sleep": "five_hundred_cells_of_sleep result:many_slow_cells_cost_themselves_only",
    "recursion": "endless_recursion recursion_in_a_cell",
    "signal handlers ignored": "signals_ignored",
    "setsid, double fork": "setsid_and_double_fork",
    "daemon threads": "daemon_threads leaves_a_thread",
    "a machine that only seems busy": "starves_itself_by_children_that_leave_no_account "
    "patience:a_session_that_stands_back_counts_as_a_crowd",
    "a demonstration that does harm": "a_demonstration_that_ends_the_process",
}
SIZE = {
    "fork bomb": "fork_bomb fork_bomb_in_a_call sandbox:processes_are_limited",
    "memory bomb": "memory_bomb memory_bomb_of_many_processes memory_through_mmap "
    "sandbox:memory_of_all_processes_together_is_limited",
    "10 GB file": "ten_gigabyte_file many_files_in_shared_memory sandbox:disk_is_limited",
    "a million files": "a_million_files sandbox:a_million_files_end_the_sandbox",
    "outputs by the thousand": "result:tiny_outputs_by_the_thousand_are_few_in_the_page",
    "1 GB printed in lines": "a_gigabyte_printed_in_lines a_gigabyte_to_the_descriptor",
    "1 GB printed in one line": "a_gigabyte_printed_in_one_line a_gigabyte_printed_in_a_call",
    "500 MB notebook": "ingest:half_a_gigabyte_is_refused_after_its_first_part thirty_megabytes",
    "nesting 10,000 deep": "nested_ten_thousand_deep nested_in_metadata",
    "results without end": "a_huge_result an_endless_iterator a_result_nested_in_itself "
    "an_integer_of_a_million_digits",
    "numbers and lists without end in a notebook": "a_million_lists an_endless_number",
}
DEATH = {
    "os._exit": "exit_in_a_cell exit_in_a_call",
    "segfault": "segfault",
    "abort": "abort",
    "sys.exit": "sys_exit_in_a_cell sys_exit_in_a_call",
    "BaseException subclass": "base_exception base_exception_in_a_cell "
    "an_exception_that_fails_to_print",
    "input()": "input_in_a_cell input_in_a_call",
    "kill of all it can see": "kills_its_parent kills_everything closes_every_descriptor",
}
FORGERY = {
    "AST transformer": "ast_transformer",
    "patched asserts": "patched_torch_and_assertions visible_check_called_and_patched",
    "patched torch.allclose": "patched_torch_and_assertions",
    "patched numpy.testing": "patched_numpy",
    "patched math.isclose, builtins": "patched_comparisons",
    "__eq__ always True": "always_equal always_equal_float",
    "displayhook(5.0)": "displayhook",
    "patched showtraceback, custom exception handler": "patched_showtraceback",
    "skip-execution tag": "skip_execution_tag demo_tag_on_everything",
    "edited, deleted, duplicated test cells": "edited_check_cell deleted_check_cell "
    "duplicated_check_cell solved_check_cell_grade_ids_swapped",
    "deleted, retyped, duplicated solution cells": "solution_cell_deleted "
    "solution_cell_turned_into_text duplicated_solution_cell",
    "edited points and metadata": "edited_points_and_metadata",
    "resubmission of worse work": "gradebook:worse_work_lowers_every_score "
    "sample_class:the_worse_resubmission_was_perfect_at_first",
    "hard-coded answers to the visible cases": "result:hard_coded_visible_answers_earn_nothing",
    "sys.modules replaced": "modules_replaced packer_patched",
    "answers read from frames": "reads_frames",
    "answers read from In, linecache": "reads_history_and_linecache",
    "answers read from gc": "reads_all_objects",
    "answers read from /proc": "reads_proc",
    "forged frames": "forged_frames_in_a_cell forged_points frame_of_brackets calls_without_end "
    "frame_of_colliding_keys wire:a_dictionary_whose_keys_collide_along_a_probe_path_is_refused_in_"
    "time",
    "early frames": "forged_frame_before_the_answer forged_frames_for_calls_to_come",
    "oversized frames": "oversized_frame",
    "replies of wrong types": "result:an_array_where_text_or_a_number_belongs_does_not_put_off_"
    "grading",
    "trickled frames": "trickled_frame",
    "a learner's test that says nothing, or knows what it is tried on": "impostors:a_hostile_test_"
    "earns_nothing_and_is_told_in_a_line impostors:nothing_that_is_sent_differs_but_the_number_and_"
    "the_results_of_calls impostors:a_hostile_test_costs_no_other_exercise_anything",
    "absurd arguments to the grader's functions": "result:a_function_of_the_graders_called_with_"
    "the_absurd_costs_one_exercise result:a_judge_that_a_value_ties_up_costs_one_exercise",
}
REACH = {
    "hidden tests, solutions, other submissions, gradebook": "hidden_tests_and_gradebook_from_disk "
    "sandbox:hidden_tests_solutions_and_gradebook_cannot_be_read",
    "what others hand in, a course among the system's files": "sandbox:the_exchange_where_others_"
    "hand_in_is_empty gradebook:a_course_where_submissions_can_look_is_not_graded",
    "network, loopback included": "network_and_the_machine_itself "
    "sandbox:no_network_not_even_loopback_of_the_host",
    "ptrace of the grader": "traces_and_writes_the_memory_of_others "
    "seccomp:every_denied_call_is_denied_inside",
    "kill of the grader": "sandbox:no_process_of_the_host_can_be_seen_or_killed",
    "symlink": "ingest:symbolic_links_are_refused gradebook:links_are_not_followed",
    "fifo, device": "ingest:pipes_sockets_devices_and_folders_are_refused_without_waiting "
    "leaves_links_and_pipes_where_it_may_write",
    "hard link": "ingest:hard_links_are_refused",
    "zip with .., absolute names": "archive:names_that_lead_elsewhere_are_refused",
    "zip with symlinks": "archive:links_and_devices_are_refused",
    "zip bombs": "archive:a_bomb_is_read_to_the_size_of_a_notebook_and_no_further "
    "archive:a_directory_of_a_hundred_thousand_entries_is_refused_before_it_is_read",
    "zip nesting": "archive:archives_in_archives_are_not_opened",
    "zip case collisions": "archive:names_that_collide_are_refused",
}
HONEST_BUT_ODD = {
    "warning on stderr": "warning_on_stderr logging_to_stderr prints_a_lot",
    "other dtype or container": "numpy_scalar zero_dimensional_array fraction",
    "generator instead of list": "result:a_generator_or_another_container_in_place_of_a_list_gets_"
    "full_points",
    "helper cells added": "helper_cells answer_in_another_cell failing_extra_cell asyncio_cell "
    "shell_magics stub_left_beside_the_answer",
    "class instead of function": "class_instead_of_function",
    "cells reordered": "cells_reordered",
    "cells split, copied": "answer_split_below_a_helper answer_copied_and_the_copy_is_scratch "
    "answer_split_into_imports_helper_and_definition a_spoiled_copy_below_the_check",
    "names used again further down": "an_experiment_redefines_the_answer_at_the_end "
    "two_answers_have_helpers_of_one_name "
    "an_earlier_exercise_is_written_anew_with_other_arguments "
    "a_later_cell_uses_a_helpers_name_for_data",
    "cells moved": "a_helper_stands_below_its_use a_cell_needs_what_stands_below "
    "answers_moved_above_everything answer_in_a_new_cell_below_the_check",
    "stubs that were never run": "answers_above_their_stubs "
    "answers_in_the_cell_of_imports_and_their_cells_emptied",
    "the check edited": "the_check_is_given_a_function_of_another_name",
    "what only the learner's machine has": "needs_a_module_that_is_not_here "
    "needs_a_module_that_is_not_here_below_a_first_try "
    "compares_with_the_library starts_a_task_of_the_running_loop goes_to_its_own_folder "
    "asks_for_a_name sets_a_locale imports_of_another_service_in_the_cell_of_imports "
    "stops_on_purpose_above_an_old_version",
    "experiments that take long": "more_long_experiments_than_attempts",
    "a written answer elsewhere": "program:the_written_answer_may_stand_beside_its_place_or_in_"
    "parts "
    "program:a_text_far_from_its_place_is_the_answer_where_there_is_none "
    "ingest:a_text_with_a_large_picture_in_it_is_kept",
    "results of other types": "wire:what_a_visible_check_accepts_arrives",
    "stripped metadata": "metadata_stripped_of_all_cells metadata_and_ids_stripped "
    "program:the_written_answer_is_found_in_whatever_cell_it_stands program:no_text_is_lost",
    "a demonstration edited, names that it imports": "a_helper_in_a_demonstration "
    "a_demonstration_imports_what_the_answer_uses a_file_is_written_in_a_demonstration "
    "the_alias_of_a_demonstration_is_used an_edited_demonstration_chooses_the_answer",
    "cells of ours edited or deleted": "a_helper_in_a_check_cell a_helper_in_the_cell_of_imports "
    "imports_and_checks_deleted",
    "%%writefile and import": "a_file_is_written_and_imported",
    "display magics first": "cell_magics_that_are_unknown_here cell_magics_that_run_the_cell "
    "result:a_magic_that_does_not_work_here_costs_nothing",
    "what a cell leaves behind": "leaves_a_burst_of_threads leaves_a_timer_that_ends_the_process "
    "leaves_an_alarm leaves_a_fork_hook_that_ends_forks leaves_a_fork_hook_that_never_ends "
    "leaves_a_hook_of_the_collector leaves_a_tracer leaves_processes leaves_its_own_directory "
    "leaves_a_pool_of_threads_that_the_answer_uses",
    "unicode names": "lambda_and_unicode_names lone_surrogate_in_a_comment",
    "Windows line ends": "windows_line_ends_and_mark sources_as_lines",
    "kernelspec of another machine": "kernel_of_another_machine outputs_of_wrong_types",
}
BROKEN_FILES = {
    "non-UTF-8": "not_utf8",
    "truncated": "truncated",
    "nbformat 3": "format_3",
    "empty": "empty a_list no_cells",
    "missing notebook": "gradebook:a_missing_notebook_is_unreadable_and_said_so",
    "an id that is no text or moves the cursor": "gradebook:an_id_that_cannot_be_shown_is_said_so_"
    "and_costs_nobody_anything",
    "wrong name": "gradebook:a_renamed_notebook_is_found_when_it_is_the_only_one",
    "two notebooks": "ingest:two_notebooks_none_and_a_wrong_name_are_reported "
    "candidates:of_several_the_one_with_the_units_name_counts",
    "zip of a Windows tool": "candidates:an_archive_of_a_windows_tool_is_read",
    "files that systems leave": "candidates:a_companion_beside_the_notebook_is_ignored_in_folders_"
    "and_archives submitted:companions_are_neither_students_nor_lines",
    "folders too deep, or called otherwise": "candidates:a_notebook_too_deep_or_saved_under_a_"
    "browsers_name_is_found submitted:work_in_a_folder_that_means_the_unit_is_found",
    "a worked copy beside the stub": "receipt:a_worked_copy_beside_an_untouched_stub_is_noticed_"
    "and_not_graded",
    "half a date": "receipt:half_a_date_and_one_of_two_meanings_are_none",
}
POLICY = {
    "directly, alias, getattr, importlib": "policy:every_way_to_a_forbidden_name_is_found "
    "result:a_forbidden_shortcut_is_reported_and_earns_nothing",
}
FEEDBACK = {
    "HTML, script": "feedback:nothing_a_learner_wrote_is_live_in_the_feedback_page "
    "result:the_learners_text_cannot_act_in_the_notebook "
    "result:forged_outputs_are_reduced_to_text_and_real_pictures",
    "markdown": "feedback:written_answers_stay_readable_and_lose_their_teeth",
    "CSV formulas": "exports:no_csv_cell_is_a_formula",
}
OPERATIONS = {
    "a write that fails": "gradebook:a_write_that_fails_leaves_the_old_file_and_no_part "
    "gradebook:a_failure_in_the_middle_changes_nothing",
    "disk full": "autograder_cli:a_full_disk_is_one_line_and_the_next_run_completes "
    "autograder_cli:no_room_for_feedback_pages_is_one_line_and_loses_nothing",
    "killed grader and workers": "sandbox:a_killed_grader_takes_its_sandbox_along "
    "child:the_child_ends_with_the_grader "
    "operations:killed_workers_and_graders_cost_no_grade",
    "four times more jobs than cores": "operations:"
    "four_times_more_workers_than_cores_give_what_one_process_gives",
    "two graders at once": "operations:two_graders_at_once_give_one_book",
}
LISTS = (TIME, SIZE, DEATH, FORGERY, REACH, HONEST_BUT_ODD, BROKEN_FILES, POLICY, FEEDBACK)
ITEMS = [pair for items in (*LISTS, OPERATIONS) for pair in items.items()]
ROOT = Path(__file__).parents[2]
TRICKS = {trick.name for trick in (*ATTACKS, *HONEST, *BROKEN)}


@pytest.mark.parametrize(("item", "names"), ITEMS, ids=[item for item, _ in ITEMS])
def test_each_item_has_a_test_that_exists(item, names):
    for name in names.split():
        module, _, function = name.rpartition(":")
        if module:
            (path,) = (ROOT / "tests").rglob(f"test_{module}.py")
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            assert callable(getattr(importlib.import_module(dotted), f"test_{function}"))
        else:
            assert name in TRICKS


def test_each_trick_stands_in_the_list():
    assert {name for _, names in ITEMS for name in names.split() if ":" not in name} == TRICKS
    assert len(TRICKS) == len(ATTACKS) + len(HONEST) + len(BROKEN)


def test_the_security_page_names_only_what_exists():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    tests = set(re.findall(r"`(test_\w+)`", page))
    assert len(tests) > 5 and tests <= {path.stem for path in (ROOT / "tests").rglob("*.py")}
    files = set(re.findall(r"`((?:autograder|tests)/[\w/]+\.\w+)`", page))
    assert len(files) > 3 and all((ROOT / name).is_file() for name in files)
