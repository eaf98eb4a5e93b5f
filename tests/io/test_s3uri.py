import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.io.s3uri import S3Uri, bucket_problem, parse

buckets = st.text(st.characters(exclude_characters="/"), min_size=1)
keys = st.text(min_size=1)


@given(buckets, keys)
def test_what_is_joined_is_taken_apart_again(bucket: str, key: str) -> None:
    assert parse(str(S3Uri(bucket, key))) == S3Uri(bucket, key)


@given(st.one_of(st.text(), st.text().map("s3://".__add__)))
def test_what_parses_gives_back_its_text_and_the_rest_is_a_value_error(text: str) -> None:
    try:
        uri = parse(text)
    except ValueError as error:
        assert "\n" not in str(error)
        assert "found" in str(error)
    else:
        assert str(uri) == text


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        pytest.param("s3://lab#-rawdata/a.JPG", "lab#-rawdata", "a.JPG", id="a placeholder"),
        pytest.param("s3://$BUCKET/x/0.txt", "$BUCKET", "x/0.txt", id="a shell variable"),
        pytest.param("s3://DOC-EXAMPLE-BUCKET/a b", "DOC-EXAMPLE-BUCKET", "a b", id="capitals"),
        pytest.param("s3://b/a//b", "b", "a//b", id="an empty part of the key"),
        pytest.param("s3://b//a", "b", "/a", id="a key that begins with a slash"),
        pytest.param("s3://b/../a", "b", "../a", id="dots are a key like any other"),
        pytest.param("s3://b/a%20b?c#d", "b", "a%20b?c#d", id="nothing is unquoted"),
        pytest.param("s3://b/left/", "b", "left/", id="a prefix"),
    ],
)
def test_parse_carries_odd_names_through(text: str, bucket: str, key: str) -> None:
    assert parse(text) == S3Uri(bucket, key)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "expected s3://bucket/key, found ''", id="nothing"),
        pytest.param("a.jpg", "expected s3://bucket/key, found 'a.jpg'", id="a file"),
        pytest.param("S3://b/a", "expected s3://bucket/key, found 'S3://b/a'", id="capital scheme"),
        pytest.param(" s3://b/a", "expected s3://bucket/key, found ' s3://b/a'", id="a blank before"),
        pytest.param("s3:///a", "expected a bucket after s3://, found 's3:///a'", id="no bucket"),
        pytest.param("s3://b", "expected a key after s3://bucket/, found 's3://b'", id="a bucket"),
        pytest.param("s3://b/", "expected a key after s3://bucket/, found 's3://b/'", id="no key"),
        pytest.param("\x1b[2J\n", r"expected s3://bucket/key, found '\x1b[2J\n'", id="terminal escapes"),
        pytest.param("x" * 5000, f"expected s3://bucket/key, found '{'x' * 97}...'", id="a very long text"),
    ],
)
def test_parse_says_what_it_expected_and_found(text: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse(text)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("abc", id="three characters"),
        pytest.param("a" * 63, id="sixty-three characters"),
        pytest.param("lab3-rawdata", id="the workshop's"),
        pytest.param("my.old.bucket", id="dots"),
        pytest.param("1.2.3.4.5", id="five numbers are no address"),
        pytest.param("point-abc-s3alias", id="an access point's alias"),
    ],
)
def test_bucket_problem_finds_nothing(name: str) -> None:
    assert bucket_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("ab", "has 3 to 63 characters, not 2", id="two characters"),
        pytest.param("a" * 64, "has 3 to 63 characters, not 64", id="sixty-four characters"),
        pytest.param("lab#-rawdata", "it contains '#'", id="a placeholder"),
        pytest.param("$BUCKET", "it contains '$'", id="a shell variable"),
        pytest.param("DOC-EXAMPLE-BUCKET", "it contains 'D'", id="capitals"),
        pytest.param("lab_3", "it contains '_'", id="an underscore"),
        pytest.param("lab3\n", r"it contains '\n'", id="a line end"),
        pytest.param("läb3", "it contains 'ä'", id="a letter beyond a-z"),
        pytest.param("lab٣", "it contains", id="a digit beyond 0-9"),
        pytest.param("-lab3", "begins and ends with a letter or a digit", id="begins with a dash"),
        pytest.param("lab3.", "begins and ends with a letter or a digit", id="ends with a dot"),
        pytest.param("lab..3", "two dots in a row", id="two dots"),
        pytest.param("192.168.5.4", "like an IP address", id="an address"),
        pytest.param("xn--lab3", "S3 reserves names", id="a reserved beginning"),
    ],
)
def test_bucket_problem_says_why_not(name: str, problem: str) -> None:
    assert problem in (bucket_problem(name) or "no problem")
