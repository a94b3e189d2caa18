"""What comes from outside is shown as it is, and never becomes markup."""

import pytest

from akdg_tf.reporting.markdown import attribute, code, escape, link, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cifar10_mlp_akdg", "cifar10_mlp_akdg"),
        ("fid[cifar10-classifier]", "fid[cifar10-classifier]"),
        ("fid[cifar10-classifier area 32x32]", "fid[cifar10-classifier area 32x32]"),
        ("see[x y](http://evil)", r"see\[x y\](http://evil)"),
        ("see[x  y]", "see[x y]"),
        ("see[ x]", r"see\[ x\]"),
        ("train (50,000, JPEG)", "train (50,000, JPEG)"),
        ("<script>", r"\<script\>"),
        ("a|b", r"a\|b"),
        ("[x](http://evil)", r"\[x\](http://evil)"),
        ("see[x](http://evil)", r"see\[x\](http://evil)"),
        ("see[x][y]", r"see\[x\]\[y\]"),
        ("[x]: http://evil", r"\[x\]: http://evil"),
        ("![x](y)", r"!\[x\](y)"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("`code` *b* ~~s~~ \\", r"\`code\` \*b\* \~\~s\~\~ \\"),
        ("__b__ _i_ a_b", r"\_\_b\_\_ \_i\_ a_b"),
        ("# a\n\n- b\r\n\u2028c", r"\# a - b c"),
        ("\x1b[2J\u202egnp.\ud800", r"?\[2J?gnp.?"),
    ],
)
def test_markup_is_escaped_and_ordinary_names_stay_as_they_are(text, shown):
    assert escape(text) == shown


def test_code_holds_backticks_and_stays_on_its_line():
    assert code("run --x='a b'") == "`run --x='a b'`"
    assert code("a `` b\n# c") == "``` a `` b # c ```"


def test_an_attribute_cannot_be_left():
    assert attribute('a" onload="b|c\n<d>') == "a&quot; onload=&quot;b&#124;c &lt;d&gt;"


def test_a_link_leads_where_it_says_whatever_its_text_is():
    assert link("a] b", "..", "a) (b", "card.md") == r"[a\] b](../a%29%20%28b/card.md)"


def test_a_table_has_a_rule_with_the_alignment_of_each_column():
    assert table(["", "b"], [["x", "1"], ["y", ""]], "lr") == ["|  | b |", "|---|---:|", "| x | 1 |", "| y |  |"]
    assert table(["a"], []) == ["| a |", "|---|"]
    with pytest.raises(ValueError, match="a different number of cells"):
        table(["a", "b"], [["x"]])
    with pytest.raises(ValueError, match="argument"):
        table(["a", "b"], [], "l")
