from manifest_tools.base.problem import Problem
from manifest_tools.verbs.look.problems import problems_of


def problem(code: str, line: int, file: str = "a") -> Problem:
    return Problem(code, "error", file, line, "", f"{code} on {line}")


def test_every_line_is_found_again_and_the_first_of_each_code_in_words() -> None:
    many = [problem("MT302", line) for line in range(1, 5001)]
    one, other = problems_of(["a", "b"], [*many, problem("MT999", 7), problem("MT302", 3, "b")])
    assert one.codes == {"MT302": 5000, "MT999": 1}
    assert len(one.lines) == 1000
    assert one.on(7) == [("MT302", "MT302 on 7"), ("MT999", "MT999 on 7")]
    assert one.on(4999) == [("MT302", "mtool validate says more")]
    assert one.on(9999) == []
    assert one.numbers_of("MT302").tolist() == list(range(1, 5001))
    assert one.numbers_of("MT999").tolist() == [7]
    assert len(one.numbers_of(None)) == 5001
    assert other.numbers_of(None).tolist() == [3]
    assert other.numbers_of("MT999").tolist() == []


def test_a_problem_of_a_whole_file_is_counted_and_of_no_line() -> None:
    (found,) = problems_of(["a"], [problem("MT303", 0)])
    assert found.codes == {"MT303": 1}
    assert found.numbers_of(None).tolist() == []
