"""`loads` finds everything that a page would run or fetch."""

import pytest

from tests.support.loads import loads


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("<script>1</script>", "<script>"),
        ("<p onclick=x>", "p[onclick]"),
        ("<img src=x>", "<img>"),
        ("<a href='java\tscript:x'>", "a[href=java\tscript:x]"),
        ("<a href='data:text/html,x'>", "a[href=data:text/html,x]"),
        ("<svg><use href='http://e/x#a'/></svg>", "use[href=http://e/x#a]"),
        ("<svg><rect fill='url(http://e/x)'/></svg>", "rect[fill=url(http://e/x)]"),
        ("<style>@import 'x'</style>", "style: @import 'x'"),
        ("<style>a { background: url(x.png) }</style>", "style: a { background: url(x.png) }"),
        ("<meta http-equiv=refresh content='0;url=http://e'>", "<meta refresh>"),
        ("<p style='color: red'>", "p[style]"),
    ],
)
def test_active_and_fetching_markup_is_found(markup: str, found: str) -> None:
    assert found in loads(markup)


def test_harmless_markup_is_not() -> None:
    harmless = (
        "<a href='https://e.example/?a=1'>@import url(x) javascript:</a><a href='#x'>x</a><a href=mailto:a@b>b</a>"
        "<svg><rect fill='url(#p)'/></svg><style>a { fill: url(#p) }</style><p>onclick=1 &lt;script&gt;</p>"
    )
    assert loads(harmless) == []
