"""Which frames of an error are shown."""

import sys
import traceback

import pytest

import tensorsmith
from tensorsmith.core import tracebacks


def frame(code: str, folder: str, **names: object):
    """A function made of this source that claims to lie in a file of this folder."""
    exec(compile(f"def it():\n    {code}", f"{folder}/file.py", "exec"), names)
    return names["it"]


OURS = tensorsmith.__path__[0]
LIBRARY = traceback.__file__.rpartition("/")[0]


def shown(call) -> tuple[list[str], int]:
    """The folders of the frames that are left of the error of this call, and how many were folded."""
    with pytest.raises(ZeroDivisionError) as caught:
        call()
    folded = tracebacks.fold(caught.value)
    files = [entry.filename for entry in traceback.extract_tb(caught.value.__traceback__)]
    return [file.rpartition("/")[0] for file in files if file != __file__], folded


def test_a_library_below_us_is_folded_and_one_below_the_user_is_kept() -> None:
    fails = frame("1 / 0", LIBRARY)
    ours = frame("f()", OURS, f=fails)
    assert shown(frame("f()", "/users", f=ours)) == (["/users"], 2)
    assert shown(frame("f()", "/users", f=fails)) == (["/users", LIBRARY], 0)


def test_the_users_code_below_us_is_kept() -> None:
    fails = frame("1 / 0", "/users/loss")
    between = frame("f()", LIBRARY, f=fails)
    assert shown(frame("f()", OURS, f=between)) == (["/users/loss"], 2)


def test_an_error_of_ours_alone_keeps_its_frames() -> None:
    error = None
    try:
        frame("1 / 0", OURS)()
    except ZeroDivisionError as caught:
        # Without this test's own frame, nothing is the user's.
        error = caught.with_traceback(caught.__traceback__.tb_next)
    assert tracebacks.fold(error) == 0
    assert [entry.filename for entry in traceback.extract_tb(error.__traceback__)] == [f"{OURS}/file.py"]


def test_causes_and_groups_are_folded_too() -> None:
    fails = frame("1 / 0", OURS)

    def failed() -> ZeroDivisionError:
        try:
            fails()
        except ZeroDivisionError as error:
            return error
        raise AssertionError("nothing was divided by zero")

    cause, member = failed(), failed()
    with pytest.raises(ExceptionGroup) as caught:
        raise ExceptionGroup("several", [member]) from cause
    assert tracebacks.fold(caught.value) == 2
    for error in (cause, member):
        assert [entry.filename for entry in traceback.extract_tb(error.__traceback__)] == [__file__]


def test_frames_are_filtered_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def hook(kind, error, trace) -> None:
        seen.append([entry.filename for entry in traceback.extract_tb(trace)])

    monkeypatch.setattr(sys, "excepthook", hook)
    fails = frame("f()", "/users", f=frame("1 / 0", OURS))
    for filtered in (True, False):
        if filtered:
            tensorsmith.debugging.enable_traceback_filtering()
            tensorsmith.debugging.enable_traceback_filtering()
        else:
            tensorsmith.debugging.disable_traceback_filtering()
        assert tensorsmith.debugging.is_traceback_filtering_enabled() is filtered
        try:
            fails()
        except ZeroDivisionError as error:
            sys.excepthook(type(error), error, error.__traceback__)
        assert any(file.startswith(OURS) for file in seen[-1]) is not filtered
    assert sys.excepthook is hook
