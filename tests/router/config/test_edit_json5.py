"""Routes and models written into CCR's config.json: what was meant changes, no other character."""

from __future__ import annotations

import pytest
from json5 import loads

from router.config.edit_json5 import with_models, with_targets

OWN = """// mine
{
  "Providers": [ {name: 'a', models: ["m", "n{"]}, ], // , { Router: {
  /* Router: { default: "no" } */
  Router: {
    default: "a,m",   // the usual
    'think': 'a,n' // cheap, "so"
    // tail
  },
  "PORT": 3456,
}
"""


@pytest.mark.parametrize(
    ("text", "targets", "changed"),
    [
        (OWN, {"default": "b,ü"}, (('"a,m"', '"b,ü"'),)),
        (OWN, {"think": "b,x"}, (("'a,n'", '"b,x"'),)),
        (
            OWN,
            {"longContext": "b,x", "image": "b,y"},
            (
                ("'a,n' // cheap, \"so\"", "'a,n', // cheap, \"so\"\n    \"longContext\": \"b,x\","
                 '\n    "image": "b,y"'),
            ),
        ),
        ("{}", {"default": "p,m"}, (("{}", '{ "Router": { "default": "p,m" } }'),)),
        ('{"Router":{}}', {"default": "p,m"}, (("{}", '{ "default": "p,m" }'),)),
        ('{"A":1}', {"default": "p,m"}, (("1}", '1, "Router": { "default": "p,m" }}'),)),
        (
            '{"Router":{\n\t"default":"a,b", // x\n}}\n',
            {"think": "p,m"},
            (("// x\n", '// x\n\t"think": "p,m"\n'),),
        ),
        ('\ufeff{"Router":{"default":null}}', {"default": "p,m"}, (("null", '"p,m"'),)),
        (
            '{"Router":{"a":{"b":[1,{"default":3}]}, "z": -1}}',
            {"default": "p,m"},
            (("-1}", '-1, "default": "p,m"}'),),
        ),
        ('{"Router":{"default":"a,b"}}', {"default": "a,b"}, ()),
    ],
)  # fmt: skip
def test_only_what_was_meant(
    text: str, targets: dict[str, str], changed: tuple[tuple[str, str], ...]
) -> None:
    made, wanted = with_targets(text, targets), text
    for old, new in changed:
        assert wanted.count(old) == 1
        wanted = wanted.replace(old, new)
    assert made == wanted
    assert loads(made.removeprefix("\ufeff"))["Router"].items() >= targets.items()


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "cannot be read"), ('{"Router":{}', "cannot be read"), ("[1]", "no object"),
     ('{"Router":"x"}', "no object")],
)  # fmt: skip
def test_what_cannot_be_edited_is_left_alone(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        with_targets(text, {"default": "p,m"})


NEW = {"api_base_url": "http://x", "api_key": "k"}
B = '{"name": "b", "api_base_url": "http://x", "api_key": "k", "models": ["q"]}'


@pytest.mark.parametrize(
    ("text", "provider", "fresh", "old", "new"),
    [
        (OWN, "a", {}, '"n{"]', '"n{", "q"]'),
        (OWN, "b", NEW, "]}, ],", f"]}}, {B} ],"),
        ("{}", "b", NEW, "{}", f'{{ "Providers": [{B}] }}'),
        ('{"providers":[]}', "b", NEW, "[]", f"[ {B} ]"),
        ('{"Providers":[\n {"name":"a"} // x\n]}', "a", {}, '"a"', '"a", "models": ["q"]'),
        (
            '\ufeff{"Providers":[\n {"name":"a","models":[\n  "x"\n]}, // c\n]}',
            *("b", NEW, "// c\n", f"// c\n {B}\n"),
        ),
        ('{"Providers":[{"name":"a","models":["q"]}]}', "a", {}, '"q"', '"q"'),
        ('{"Providers":[{"name":"0"},{"name":"a","models":[]}]}', "a", {}, "[]", '[ "q" ]'),
    ],
)
def test_models_are_added_where_they_belong(
    text: str, provider: str, fresh: dict[str, str], old: str, new: str
) -> None:
    assert text.count(old) == 1
    assert with_models(text, provider, ["q"], fresh) == text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "provider", "fresh", "says"),
    [
        (OWN, "b", {}, "a new one has an address"),
        (OWN, "a", NEW, "already"),
        ('{"Providers":{}}', "a", NEW, "no list"),
        ('{"Providers":[{"name":"a","models":"m"}]}', "a", {}, "no list"),
    ],
)
def test_models_that_belong_nowhere(
    text: str, provider: str, fresh: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        with_models(text, provider, ["q"], fresh)
