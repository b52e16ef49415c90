"""What the process of a job said before it failed reaches whoever looks at the job."""

from __future__ import annotations

from streamhost.sandbox import ChildCrashed, output_of


def test_through_what_it_led_to() -> None:
    """An error that was made of the process's own still knows; others know nothing."""
    crashed = ChildCrashed("It ended with status 1.")
    crashed.output = "Traceback: no room"
    try:
        try:
            raise crashed
        except ChildCrashed as error:
            raise ValueError("in other words") from error
    except ValueError as told:
        assert output_of(told) == "Traceback: no room"
    assert output_of(ValueError("alone")) == ""
